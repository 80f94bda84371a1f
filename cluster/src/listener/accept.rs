//! Accepting connections, in a worker or in the primary; an error with a single connection never
//! stops it.
//!
//! Several processes may accept from copies of one socket. All of them wake up for a connection;
//! a process that is too late finds nothing (`EWOULDBLOCK`), and waits again.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::address::Peer;
use super::stream::Stream;

/// The time to wait when the process, or the machine, is out of descriptors or memory. Meanwhile, the
/// connection stays in the kernel's queue.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket that the current Tokio runtime watches.
#[derive(Debug)]
pub struct Accepting {
    socket: AsyncFd<OwnedFd>,
    /// The present shortage (of descriptors, of memory) has already been logged; each is logged once.
    short: AtomicBool,
}

impl Accepting {
    /// Takes a listening socket, which must not block ([`Listener`](super::Listener) ensures that).
    ///
    /// # Errors
    /// The runtime cannot watch another descriptor.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = watch(socket, Interest::READABLE)?;
        Ok(Self { socket, short: AtomicBool::new(false) })
    }

    /// The next connection; `None` when the socket has been shut down and no more will arrive. Waits
    /// until temporary errors have passed. Dropping the future loses no connection.
    pub async fn accept(&self) -> Option<(Stream, Peer)> {
        loop {
            let (fd, peer) = self.next().await?;
            match Stream::new(fd, peer) {
                Ok(stream) => return Some((stream, peer)),
                Err(error) => tracing::warn!("lost the connection of {peer}: {error}"),
            }
        }
    }

    /// A connection that is already waiting, if there is one. At the end of a worker's life, this is
    /// called until it returns `None`, which empties the kernel's queue.
    pub fn accept_ready(&self) -> Option<(Stream, Peer)> {
        let (fd, peer) = self.take_ready()?;
        let stream = Stream::new(fd, peer);
        stream
            .inspect_err(|error| tracing::warn!("lost the connection of {peer}: {error}"))
            .ok()
            .map(|stream| (stream, peer))
    }

    /// Waits for a connection, then takes all that are already waiting, up to `most` in total. It is
    /// for the primary, which hands them to workers. `None` when the socket has been shut down.
    pub async fn accept_batch(&self, most: usize) -> Option<Vec<(OwnedFd, Peer)>> {
        let mut batch = vec![self.next().await?];
        while batch.len() < most {
            // Goes through the runtime, so that it learns that the queue is empty and does not ask
            // again.
            match self.socket.try_io(Interest::READABLE, accept) {
                Ok(connection) => batch.push(connection),
                Err(_) => break, // `next` will get the error again, and handle it
            }
        }
        Some(batch)
    }

    /// Returns the connections that are already waiting, up to `most` of them; does not wait.
    pub fn accept_waiting(&self, most: usize) -> Vec<(OwnedFd, Peer)> {
        std::iter::from_fn(|| self.take_ready()).take(most).collect()
    }

    /// Waits for a connection.
    async fn next(&self) -> Option<(OwnedFd, Peer)> {
        loop {
            let Ok(mut ready) = self.socket.readable().await else {
                return None; // the runtime is shutting down
            };
            let shut = ready.ready().is_read_closed();
            match ready.try_io(|socket| accept(socket.get_ref())) {
                Ok(Ok(connection)) => {
                    self.short.store(false, Ordering::Relaxed);
                    return Some(connection);
                }
                Ok(Err(error)) => match Trouble::of(&error) {
                    Trouble::Connection => {}
                    Trouble::Shortage => self.pause(&error).await,
                    Trouble::Over => return None,
                },
                // A Unix socket that was shut down returns EAGAIN forever, and stays readable
                // forever.
                Err(_) if shut => return None,
                Err(_) => {}
            }
        }
    }

    /// Asks the kernel, not the runtime, whose knowledge may be out of date.
    fn take_ready(&self) -> Option<(OwnedFd, Peer)> {
        loop {
            match accept(self.socket.get_ref()) {
                Ok(connection) => return Some(connection),
                Err(error) if Trouble::of(&error) == Trouble::Connection => {}
                Err(_) => return None,
            }
        }
    }

    async fn pause(&self, error: &io::Error) {
        if !self.short.swap(true, Ordering::Relaxed) {
            tracing::warn!("cannot accept connections at the moment: {error}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl AsFd for Accepting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

/// Lets the current Tokio runtime watch a descriptor, which must not block.
#[allow(unsafe_code)]
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the value owns its descriptor, which stays the same and open until the value is dropped.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

fn accept(socket: &OwnedFd) -> io::Result<(OwnedFd, Peer)> {
    let (fd, address) = acceptfrom_with(socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    Ok((fd, Peer::of(address)))
}

/// The kind of an error of accept(2).
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// One connection, which is gone. The next may be fine.
    Connection,
    /// A resource that has run out. The error passes when others release some of it. Unknown errors
    /// count as this kind, so that none can make us spin.
    Shortage,
    /// The socket: it was shut down.
    Over,
}

impl Trouble {
    fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(
                Errno::CONNABORTED
                | Errno::INTR
                | Errno::PERM
                | Errno::PROTO
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::NONET
                | Errno::NOPROTOOPT
                | Errno::OPNOTSUPP,
            ) => Self::Connection,
            Some(Errno::INVAL) => Self::Over,
            _ => Self::Shortage,
        }
    }
}
