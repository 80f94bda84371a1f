//! One listening socket, and its owner.
//!
//! The primary binds once and keeps the socket for as long as it lives. Workers come and go with
//! copies of the socket; the queue of connections that are not yet accepted belongs to the socket, so
//! the queue survives them all.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::net::{Shutdown, SocketFlags, getsockname};
use socket2::{Domain, SockRef, Socket, Type};

use super::address::BoundAddress;
use super::systemd::Passed;
use super::unix::{self, SocketFile};
use super::{holder, reuse_port};
use crate::config::{Address, Listen};
use crate::{Error, Result};

/// The maximum number of waiting connections that the kernel allows: it reduces a larger number to
/// `net.core.somaxconn`, and -1, read as unsigned, is larger.
pub(super) const BACKLOG: i32 = -1;

/// A bound, non-blocking socket, which [listens](Self::listen) later. When it is dropped, the file
/// of a Unix socket is removed, if the file is still this socket's.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    address: BoundAddress,
    kind: Kind,
    /// Connections were suspended, and the socket has not listened since.
    suspended: bool,
}

#[derive(Debug)]
enum Kind {
    /// We bound it.
    Tcp(SocketAddr),
    /// We bound it; the file is removed when this is dropped.
    Unix(SocketFile),
    /// It existed before us and will outlive us: it is not ours to shut down or to remove.
    Systemd,
}

impl Listener {
    /// Binds the socket. A socket from systemd is taken out of `passed`; it is already listening. So
    /// is a Unix socket, because the file of a socket that does not listen looks like one that a dead
    /// server left.
    ///
    /// # Errors
    /// The address is taken, forbidden, unknown to this host, or was not passed: the message says
    /// which, and what to do.
    pub fn bind(listen: &Listen, passed: &mut Passed) -> Result<Self> {
        match &listen.address {
            Address::Tcp(address) => Self::tcp(*address),
            Address::Unix(path) => {
                let (socket, file) = unix::bind(path, unix::PATIENCE)?;
                Self::new(socket.into(), Kind::Unix(file))
            }
            Address::Systemd(name) => {
                let socket = passed.take(name)?;
                refuse_a_connection(&socket, name)?;
                Self::new(socket, Kind::Systemd)
            }
        }
    }

    /// The address at which it listens, with the port that the kernel chose if the choice was left to
    /// it.
    #[must_use]
    pub fn address(&self) -> &BoundAddress {
        &self.address
    }

    /// Lets clients connect from now on, also after [`suspend`](Self::suspend). A Unix socket that
    /// was suspended is rebound: the kernel does not let it listen a second time. Returns true if the
    /// descriptor has changed.
    ///
    /// # Errors
    /// Another process is now listening at the address; the message says which, and what to do.
    pub fn listen(&mut self) -> Result<bool> {
        let anew = self.try_listen()?;
        self.suspended = false;
        Ok(anew)
    }

    fn try_listen(&mut self) -> Result<bool> {
        match &self.kind {
            Kind::Tcp(address) => rustix::net::listen(&self.fd, BACKLOG)
                .map_err(|errno| cannot_listen(*address, &errno.into()))
                .map(|()| false),
            Kind::Unix(_) if self.suspended => self.bind_anew().map(|()| true),
            Kind::Unix(_) => Ok(false),
            // The program that passes sockets need not be systemd, and may leave this to us.
            Kind::Systemd if SockRef::from(&self.fd).is_listener()? => Ok(false),
            Kind::Systemd => Ok(rustix::net::listen(&self.fd, BACKLOG)
                .map(|()| false)
                .map_err(io::Error::from)?),
        }
    }

    /// Makes the kernel refuse new connections from now on, no matter which processes have copies of
    /// the socket; connections still in its queue are reset. A socket from systemd is left alone.
    ///
    /// # Errors
    /// Any error of shutdown(2).
    pub fn refuse(&self) -> io::Result<()> {
        match self.kind {
            Kind::Tcp(_) | Kind::Unix(_) => shut(&self.fd),
            Kind::Systemd => Ok(()),
        }
    }

    /// Refuses new connections until the socket listens again. Returns false for a socket from
    /// systemd, which continues to listen.
    ///
    /// # Errors
    /// Any error of shutdown(2).
    pub fn suspend(&mut self) -> io::Result<bool> {
        self.refuse()?;
        self.suspended = true;
        if let Kind::Unix(_) = self.kind {
            // TCP resets the connections in the queue; here the clients would keep waiting.
            while rustix::net::accept_with(&self.fd, SocketFlags::CLOEXEC).is_ok() {}
        }
        Ok(!matches!(self.kind, Kind::Systemd))
    }

    /// Rebinds a Unix socket if its file was removed (for example when `/tmp` was cleaned): without
    /// the file, no client can find the socket. Returns true if the descriptor has changed.
    ///
    /// # Errors
    /// The path is no longer available; the message says why.
    pub fn renew(&mut self) -> Result<bool> {
        match &self.kind {
            Kind::Unix(file) if file.is_gone() => self.bind_anew().map(|()| true),
            _ => Ok(false),
        }
    }

    fn bind_anew(&mut self) -> Result<()> {
        let Kind::Unix(file) = &self.kind else { return Ok(()) };
        // The primary's loop must not wait; it tries again later.
        let (socket, file) = unix::bind(file.path(), Duration::ZERO)?;
        *self = Self::new(socket.into(), Kind::Unix(file))?;
        Ok(())
    }

    fn tcp(address: SocketAddr) -> Result<Self> {
        let socket =
            bound_socket(address, false).map_err(|error| cannot_listen(address, &error))?;
        let local = socket.local_addr()?.as_socket().unwrap_or(address);
        Self::new(socket.into(), Kind::Tcp(local))
    }

    fn new(fd: OwnedFd, kind: Kind) -> Result<Self> {
        prepare(&fd)?;
        let address = BoundAddress::of(getsockname(&fd).map_err(io::Error::from)?);
        Ok(Self { fd, address, kind, suspended: false })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Shuts down a socket if it is listening. On one that is not listening yet, the kernel would record
/// the shutdown anyway, and every connection that is accepted later would begin with an end of file.
pub(super) fn shut(socket: &impl AsFd) -> io::Result<()> {
    if !SockRef::from(socket).is_listener()? {
        return Ok(());
    }
    Ok(rustix::net::shutdown(socket, Shutdown::Read)?)
}

/// A socket unit with `Accept=yes` passes each connection to a process of its own.
fn refuse_a_connection(socket: &OwnedFd, name: &str) -> Result<()> {
    if SockRef::from(socket).peer_addr().is_err() {
        return Ok(());
    }
    Err(Error::new(format!(
        "cannot listen on systemd:{name}: a connection was passed instead of a listening socket; set \
         Accept=no in the socket unit"
    )))
}

/// A TCP socket that is bound, and does not listen yet.
///
/// `[::]` means IPv6 only, whatever `net.ipv6.bindv6only` says: otherwise it would take the IPv4
/// addresses, too, and conflict with `0.0.0.0`. An IPv4-mapped address (`[::ffff:127.0.0.1]`) cannot be
/// IPv6 only.
pub(crate) fn bound_socket(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.ip().to_canonical().is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // We need not wait for connections of the previous server that are still in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if reuse_port {
        reuse_port::allow(&socket)?;
    }
    socket.bind(&address.into())?;
    if address.port() != 0 {
        return Ok(socket);
    }
    // When the socket is shut down, the kernel takes back a port that it chose itself, and the next
    // listen(2) gets a different one. So this port is bound again by its number; meanwhile, the first
    // socket keeps the port, and allows a second socket because it is not listening.
    let chosen = socket.local_addr()?.as_socket().unwrap_or(address);
    bound_socket(chosen, reuse_port)
}

/// `O_NONBLOCK` belongs to the socket, not to the descriptor: set once, it holds for all workers.
/// On Linux an accepted connection inherits `TCP_NODELAY`, which saves a call for each.
pub(super) fn prepare(socket: &impl AsFd) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_nonblocking(true)?;
    if socket.domain()? == Domain::UNIX { Ok(()) } else { socket.set_tcp_nodelay(true) }
}

/// The error for a TCP address that is not available.
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
