//! One listening socket, and whose it is.
//!
//! The primary binds once and keeps the socket as long as it lives. Workers come and go with copies
//! of it; the queue of connections that nobody has accepted yet belongs to the socket, so it
//! survives them all.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{Shutdown, getsockname};
use socket2::{Domain, SockRef, Socket, Type};

use super::address::BoundAddress;
use super::systemd::Passed;
use super::unix::{self, SocketFile};
use super::{holder, reuse_port};
use crate::config::{Address, Listen};
use crate::{Error, Result};

/// As many waiting connections as the kernel allows: `net.core.somaxconn`, to which it cuts down
/// whatever is larger, and read as unsigned -1 is.
pub(super) const BACKLOG: i32 = -1;

/// A bound, listening, non-blocking socket. When it is dropped, the file of a Unix socket is
/// removed, if it is still this socket's.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    address: BoundAddress,
    owner: Owner,
}

#[derive(Debug)]
enum Owner {
    /// We bound it; a Unix socket has a file, removed when this is dropped.
    Us { _file: Option<SocketFile> },
    /// It was there before us and will be there after us: not ours to shut or to remove.
    Systemd,
}

impl Listener {
    /// Binds and listens. A socket of systemd's is taken out of `passed`.
    ///
    /// # Errors
    /// The address is taken, forbidden, unknown to this host, or was not passed: the message says
    /// which, and what to do.
    pub fn bind(listen: &Listen, passed: &mut Passed) -> Result<Self> {
        match &listen.address {
            Address::Tcp(address) => Self::tcp(*address),
            Address::Unix(path) => {
                let (socket, file) = unix::bind(path)?;
                Self::new(socket.into(), Owner::Us { _file: Some(file) })
            }
            Address::Systemd(name) => Self::new(passed.take(name)?, Owner::Systemd),
        }
    }

    /// Where it listens: with the port that the kernel chose, if that was left to it.
    #[must_use]
    pub fn address(&self) -> &BoundAddress {
        &self.address
    }

    /// Lets the kernel refuse new connections from now on, whoever else has copies of the socket;
    /// those still in its queue are reset. A socket of systemd's is left alone.
    ///
    /// # Errors
    /// Those of shutdown(2).
    pub fn refuse(&self) -> io::Result<()> {
        match self.owner {
            Owner::Us { .. } => Ok(rustix::net::shutdown(&self.fd, Shutdown::Read)?),
            Owner::Systemd => Ok(()),
        }
    }

    fn tcp(address: SocketAddr) -> Result<Self> {
        let socket = tcp_socket(address, false).map_err(|error| cannot_listen(address, &error))?;
        Self::new(socket.into(), Owner::Us { _file: None })
    }

    fn new(fd: OwnedFd, owner: Owner) -> Result<Self> {
        prepare(&fd)?;
        let address = BoundAddress::of(getsockname(&fd).map_err(io::Error::from)?);
        Ok(Self { fd, address, owner })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A bound and listening TCP socket.
pub(super) fn tcp_socket(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = bound_socket(address, reuse_port)?;
    socket.listen(BACKLOG)?;
    prepare(&socket)?;
    Ok(socket)
}

/// A TCP socket that is bound, and does not listen yet.
///
/// `[::]` means IPv6 only, whatever `net.ipv6.bindv6only` says: else it would take the IPv4 addresses,
/// too, and not go together with `0.0.0.0`. An IPv4 address in IPv6 clothes (`[::ffff:127.0.0.1]`)
/// cannot be IPv6 only.
pub(crate) fn bound_socket(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.ip().to_canonical().is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of the server before us that are still in TIME_WAIT are no reason to wait.
    socket.set_reuse_address(true)?;
    if reuse_port {
        reuse_port::allow(&socket)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// `O_NONBLOCK` belongs to the socket, not to the descriptor: set once, it holds for all workers.
/// On Linux an accepted connection inherits `TCP_NODELAY`, which saves a call for each.
fn prepare(socket: &impl AsFd) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_nonblocking(true)?;
    if socket.domain()? == Domain::UNIX { Ok(()) } else { socket.set_tcp_nodelay(true) }
}

/// The sentence for a TCP address that cannot be had.
pub(super) fn cannot_listen(address: SocketAddr, error: &io::Error) -> Error {
    let why = match error.kind() {
        ErrorKind::AddrInUse => holder::of(address).to_string(),
        ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher port, or \
             let systemd own the socket (systemd:NAME)"
                .into()
        }
        ErrorKind::AddrNotAvailable => {
            "this host has no such address (`ip address` lists those it has; 0.0.0.0 means all)"
                .into()
        }
        _ => error.to_string(),
    };
    Error::new(format!("cannot listen on {address}: {why}"))
}
