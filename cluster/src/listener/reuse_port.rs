//! `SO_REUSEPORT`: a socket for each slot, all with one address; the kernel spreads connections
//! over them by a hash of the client's address.
//!
//! All of them belong to the primary for as long as it lives. The kernel counts a socket in as soon
//! as it listens, whether a process accepts from it or not, and closing one resets the connections
//! that are waiting in it (unless `net.ipv4.tcp_migrate_req` is 1). So a socket is never closed, not
//! even if its slot was given up: the socket is lent to a living worker. See
//! [`Lending`](super::Lending).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self, UnixDatagram};

use socket2::Socket;

use super::address::BoundAddress;
use super::bind::{BACKLOG, bound_socket, cannot_listen, prepare, shut};
use crate::supervisor::SlotId;
use crate::{Error, Result};

/// The sockets of one address.
#[derive(Debug)]
pub struct ReusePort {
    /// The address, with the port that the first socket got.
    address: SocketAddr,
    bound: BoundAddress,
    _claim: Option<UnixDatagram>,
    /// The sockets of new slots listen at once.
    listening: bool,
    sockets: BTreeMap<SlotId, OwnedFd>,
}

impl ReusePort {
    /// Binds the sockets of the first `slots` slots. They [listen](Self::listen) later.
    ///
    /// # Errors
    /// The address is not available; the message says what to do.
    pub fn bind(address: SocketAddr, slots: usize) -> Result<Self> {
        let cannot = |error: io::Error| cannot_listen(address, &error);
        refuse_to_join(address).map_err(cannot)?;
        let first = bound_socket(address, true).map_err(cannot)?;
        prepare(&first).map_err(cannot)?;
        let local = first.local_addr().map_err(cannot)?.as_socket();
        let address = local.ok_or_else(|| Error::new("a TCP socket has no address"))?;
        let sockets = BTreeMap::from([(SlotId(0), first.into())]);
        let bound = BoundAddress::Tcp(address);
        let claim = claim(address).map_err(cannot)?;
        let mut group = Self { address, bound, _claim: claim, listening: false, sockets };
        for slot in (0..u32::MAX).take(slots) {
            group.slot(SlotId(slot))?;
        }
        Ok(group)
    }

    /// The socket of a slot; bound when it is first requested.
    ///
    /// # Errors
    /// Another socket cannot be created or bound.
    pub fn slot(&mut self, slot: SlotId) -> Result<BorrowedFd<'_>> {
        let fd: &OwnedFd = match self.sockets.entry(slot) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let cannot = |error: io::Error| cannot_listen(self.address, &error);
                let socket = bound_socket(self.address, true).map_err(cannot)?;
                prepare(&socket).map_err(cannot)?;
                if self.listening {
                    socket.listen(BACKLOG).map_err(cannot)?;
                }
                entry.insert(socket.into())
            }
        };
        Ok(fd.as_fd())
    }

    /// All slots that have a socket.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> {
        self.sockets.keys().copied()
    }

    /// The sockets of all slots.
    pub fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.values().map(AsFd::as_fd)
    }

    /// The address at which they listen.
    #[must_use]
    pub fn address(&self) -> &BoundAddress {
        &self.bound
    }

    /// Lets clients connect from now on, also after [`refuse`](Self::refuse).
    ///
    /// # Errors
    /// Another process is now listening at the address.
    pub fn listen(&mut self) -> Result<()> {
        for socket in self.sockets.values() {
            rustix::net::listen(socket, BACKLOG)
                .map_err(|errno| cannot_listen(self.address, &errno.into()))?;
        }
        self.listening = true;
        Ok(())
    }

    /// Makes the kernel refuse new connections from now on, until they listen again.
    ///
    /// # Errors
    /// Any error of shutdown(2); the other sockets are shut down anyway.
    pub fn refuse(&mut self) -> io::Result<()> {
        self.listening = false;
        let all: Vec<_> = self.sockets.values().map(shut).collect(); // before an error is looked at
        all.into_iter().collect()
    }
}

/// Lets others bind the address, too, if they allow the same.
pub(super) fn allow(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// Claims an address for one primary. Two primaries that start at the same moment both find it free,
/// since neither is listening yet, and the kernel would let them share it. An abstract socket is
/// visible in the same network namespace as the port, can be bound only once, and disappears with its
/// process.
fn claim(address: SocketAddr) -> io::Result<Option<UnixDatagram>> {
    let name = format!("cluster-reuse-port-{address}");
    match UnixDatagram::bind_addr(&net::SocketAddr::from_abstract_name(name)?) {
        Ok(claim) => Ok(Some(claim)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(_) => Ok(None), // a sandbox without Unix sockets: there is no claim then
    }
}

/// With `SO_REUSEPORT` we could bind the address of another server of the same user without an error,
/// and would share its connections. So this function first checks whether the address is free without
/// the option.
fn refuse_to_join(address: SocketAddr) -> io::Result<()> {
    if address.port() == 0 { Ok(()) } else { bound_socket(address, false).map(drop) }
}
