//! The syntax of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::form::Form;
use super::{Address, Listen};

/// The limit of a socket's path: `sockaddr_un` holds 108 bytes, and the last is a zero (unix(7)).
pub(crate) const LONGEST_PATH: usize = 107;

/// One listener or several, separated by commas: `127.0.0.1:8000`, `web=:80,ops=unix:/run/a.sock`.
pub(super) struct Listeners;

impl Form for Listeners {
    type Value = Vec<Listen>;

    fn allowed(&self) -> String {
        "an address such as 127.0.0.1:8000, 8000 (on all IPv4 interfaces), unix:/run/app.sock or \
         systemd:NAME; several as NAME=ADDRESS with commas between them, where only the first may \
         omit its name"
            .into()
    }

    fn wrong(&self, text: &str) -> Option<String> {
        text.split(',').enumerate().find_map(|(at, one)| {
            let (name, address) = named(at, one.trim())?;
            let reason = too_long(unix_path(address)?)?;
            Some(if at == 0 { reason } else { format!("listener {name}: {reason}") })
        })
    }

    fn read(&self, text: &str) -> Option<Vec<Listen>> {
        text.split(',').enumerate().map(|(at, one)| listen(at, one.trim())).collect()
    }

    fn show(&self, value: &Vec<Listen>) -> String {
        value.iter().map(Listen::to_string).collect::<Vec<_>>().join(",")
    }
}

/// The default listener.
pub(super) fn default_listen() -> Vec<Listen> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8000));
    vec![Listen { name: FIRST.into(), address: Address::Tcp(address) }]
}

/// Parses a port on the loopback address, or an address with a port.
pub(super) fn admin(text: &str) -> Option<SocketAddr> {
    match text.parse::<u16>() {
        Ok(port) => Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        Err(_) => tcp(text),
    }
}

/// Parses a path that fits in a socket's address. A relative path is made absolute.
pub(super) fn socket_path(text: &str) -> Option<PathBuf> {
    let path = std::path::absolute(text).ok()?;
    let usable = !text.contains('\0') && !text.ends_with('/');
    (usable && path.as_os_str().len() <= LONGEST_PATH).then_some(path)
}

/// The reason why a path does not fit in a socket's address.
pub(super) fn too_long(text: &str) -> Option<String> {
    let length = std::path::absolute(text).ok()?.as_os_str().len();
    let relative = if text.starts_with('/') { "" } else { ", the working directory included" };
    (length > LONGEST_PATH).then(|| {
        format!(
            "the path has {length} bytes{relative}, and the limit for a Unix socket is \
             {LONGEST_PATH}; choose a shorter one"
        )
    })
}

const FIRST: &str = "default";

fn listen(at: usize, text: &str) -> Option<Listen> {
    let (name, text) = named(at, text)?;
    Some(Listen { name: name.into(), address: address(text)? })
}

/// Splits a listener into its name and the rest.
fn named(at: usize, text: &str) -> Option<(&str, &str)> {
    match text.split_once('=') {
        Some((name, rest)) if is_name(name) => Some((name, rest)),
        _ if at == 0 => Some((FIRST, text)),
        _ => None,
    }
}

fn unix_path(text: &str) -> Option<&str> {
    text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text))
}

fn address(text: &str) -> Option<Address> {
    if let Some(path) = unix_path(text) {
        return socket_path(path).map(Address::Unix);
    }
    if let Some(name) = text.strip_prefix("systemd:") {
        return is_name(name).then(|| Address::Systemd(name.into()));
    }
    tcp(text).map(Address::Tcp)
}

/// Parses a numeric address. Names other than `localhost` are not looked up: the address behind a
/// name may change between a start and a restart.
fn tcp(text: &str) -> Option<SocketAddr> {
    let everywhere = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    if let Ok(port) = text.parse::<u16>() {
        return Some((everywhere, port).into());
    }
    match text.rsplit_once(':') {
        Some(("" | "*", port)) => Some((everywhere, port.parse().ok()?).into()),
        Some(("localhost", port)) => Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into()),
        _ => text.parse().ok(),
    }
}

/// Accepts letters, digits, `-`, `_` and `.`, which a unit file's `FileDescriptorName=` may
/// contain.
fn is_name(text: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&text.len()) && text.chars().all(usable)
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name != FIRST {
            write!(f, "{}=", self.name)?;
        }
        self.address.fmt(f)
    }
}

impl Address {
    /// Returns whether the kernel would refuse one of them while the other is bound. Port 0 is a
    /// different port each time.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(one), Self::Tcp(other)) => {
                let same_port = one.port() == other.port() && one.port() != 0;
                same_port && overlap(*one, *other)
            }
            _ => self == other,
        }
    }
}

/// Compares two addresses. `0.0.0.0` stands for all IPv4 addresses, and `[::]` for all IPv6 addresses:
/// our sockets there are IPv6 only.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    let everywhere = a.is_unspecified() || b.is_unspecified();
    let on_one_link = match (one, other) {
        (SocketAddr::V6(one), SocketAddr::V6(other)) => one.scope_id() == other.scope_id(),
        _ => true,
    };
    a.is_ipv4() == b.is_ipv4() && (everywhere || a == b && on_one_link)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}
