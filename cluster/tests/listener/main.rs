//! The sockets of a primary: real ones, on loopback and in temporary directories.

mod accept;
mod bind;
mod lending;
mod reuse_port;
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

fn bind(listen: &Listen) -> cluster::Result<Listener> {
    Listener::bind(listen, &mut Passed::default())
}

fn bind_unix(path: &Path) -> cluster::Result<Listener> {
    bind(&at(Address::Unix(path.to_owned())))
}

fn address(bound: &BoundAddress) -> SocketAddr {
    match bound {
        BoundAddress::Tcp(address) => *address,
        BoundAddress::Unix(path) => panic!("{} is no TCP address", path.display()),
    }
}
