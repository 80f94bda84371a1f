//! Addresses: those of our own sockets, and those of clients.

use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::net::{SocketAddrAny, SocketAddrUnix};

/// The address of a bound socket, with the port that the kernel chose if the choice was left to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BoundAddress {
    /// TCP.
    Tcp(SocketAddr),
    /// Unix. An abstract name starts with `@`.
    Unix(PathBuf),
}

impl BoundAddress {
    /// `http://127.0.0.1:8000`, or `unix:/run/app.sock`.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Tcp(address) => format!("http://{address}"),
            Self::Unix(_) => self.to_string(),
        }
    }

    /// Converts the address that the kernel returns for a socket.
    pub(super) fn of(address: SocketAddrAny) -> Self {
        match SocketAddr::try_from(address.clone()) {
            Ok(address) => Self::Tcp(address),
            Err(_) => Self::Unix(unix_path(address)),
        }
    }
}

/// As in `CLUSTER_LISTEN`: `127.0.0.1:8000`, or `unix:/run/app.sock`.
impl fmt::Display for BoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// TCP.
    Tcp(SocketAddr),
    /// Unix: a client there has no address.
    Unix,
}

impl Peer {
    /// The client's address, if it has one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix => None,
        }
    }

    /// Converts the result of `accept` or `getpeername`. A Unix client is rarely bound, and has no
    /// address if it is not.
    pub(super) fn of(address: Option<SocketAddrAny>) -> Self {
        address.and_then(|any| SocketAddr::try_from(any).ok()).map_or(Self::Unix, Self::Tcp)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

fn unix_path(address: SocketAddrAny) -> PathBuf {
    let Ok(address) = SocketAddrUnix::try_from(address) else { return PathBuf::new() };
    if let Some(path) = address.path() {
        return PathBuf::from(OsStr::from_bytes(path.to_bytes()));
    }
    let name = address.abstract_name().map(String::from_utf8_lossy);
    PathBuf::from(format!("@{}", name.unwrap_or_default()))
}
