//! The sockets of a primary: real ones, on loopback and in temporary directories.

mod accept;
mod bind;
mod lending;
mod reuse_port;
mod suspend;
mod systemd;
mod unix;

use std::net::SocketAddr;
use std::path::Path;

use cluster::config::{Address, Listen};
use cluster::listener::systemd::Passed;
use cluster::listener::{BoundAddress, Listener};

fn at(address: Address) -> Listen {
    Listen { name: "default".into(), address }
}

fn tcp(address: &str) -> Listen {
    at(Address::Tcp(address.parse().expect("an address")))
}

/// Binds, and listens.
fn bind(listen: &Listen) -> cluster::Result<Listener> {
    let mut listener = Listener::bind(listen, &mut Passed::default())?;
    listener.listen()?;
    Ok(listener)
}

fn bind_unix(path: &Path) -> cluster::Result<Listener> {
    bind(&at(Address::Unix(path.to_owned())))
}

fn address(bound: &BoundAddress) -> SocketAddr {
    match bound {
        BoundAddress::Tcp(address) => *address,
        BoundAddress::Unix(path) => panic!("{} is not a TCP address", path.display()),
    }
}
