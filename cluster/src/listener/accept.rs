//! Accepting connections, in a worker or in the primary, without ever ending by an error of a
//! connection that has gone wrong.
//!
//! Several processes may accept from copies of one socket. All of them wake up for a connection;
//! whoever is too late finds nothing (`EWOULDBLOCK`), and waits again.

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

/// How long to wait when the process, or the machine, is out of descriptors or memory. The
/// connection stays in the kernel's queue meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket that the current Tokio runtime watches.
#[derive(Debug)]
pub struct Accepting {
    socket: AsyncFd<OwnedFd>,
    /// Whether it was logged that we are out of descriptors: once for each time that it begins.
    short: AtomicBool,
}

impl Accepting {
    /// Takes a listening socket, which must not block ([`Listener`](super::Listener) sees to it).
    ///
    /// # Errors
    /// The runtime cannot watch another descriptor.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = watch(socket, Interest::READABLE)?;
        Ok(Self { socket, short: AtomicBool::new(false) })
    }

    /// The next connection; `None` when the socket was shut, and none will come any more. Errors
    /// that pass are waited for here. Dropping the future loses no connection.
    pub async fn accept(&self) -> Option<(Stream, Peer)> {
        loop {
            let (fd, peer) = self.next().await?;
            match Stream::new(fd, peer) {
                Ok(stream) => return Some((stream, peer)),
                Err(error) => tracing::warn!("lost the connection of {peer}: {error}"),
            }
        }
    }

    /// A connection that waits already, if there is one. At the end of a worker's life: called
    /// until it returns `None`, it empties the kernel's queue.
    pub fn accept_ready(&self) -> Option<(Stream, Peer)> {
        let (fd, peer) = self.take_ready()?;
        let stream = Stream::new(fd, peer);
        stream
            .inspect_err(|error| tracing::warn!("lost the connection of {peer}: {error}"))
            .ok()
            .map(|stream| (stream, peer))
    }

    /// Waits for a connection, then takes as many as wait already, `most` at most: for the primary
    /// that hands them to workers. `None` when the socket was shut.
    pub async fn accept_batch(&self, most: usize) -> Option<Vec<(OwnedFd, Peer)>> {
        let mut batch = vec![self.next().await?];
        while batch.len() < most {
            // Through the runtime, which so learns when the queue is empty and does not ask again.
            match self.socket.try_io(Interest::READABLE, accept) {
                Ok(connection) => batch.push(connection),
                Err(_) => break, // `next` will meet it again, and know what to do
            }
        }
        Some(batch)
    }

    /// As many connections as wait already, `most` at most; does not wait.
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
                // A Unix socket that was shut says EAGAIN for ever, and is readable for ever.
                Err(_) if shut => return None,
                Err(_) => {}
            }
        }
    }

    /// Asks the kernel, not the runtime, whose knowledge may be older.
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
    // SAFETY: the value owns its descriptor, which so stays the same and open until it is dropped.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

fn accept(socket: &OwnedFd) -> io::Result<(OwnedFd, Peer)> {
    let (fd, address) = acceptfrom_with(socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    Ok((fd, Peer::of(address)))
}

/// What an error of accept(2) is about.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// One connection, which is gone. The next may be fine.
    Connection,
    /// Something that we are out of. It passes when others give some back. Errors that we do not
    /// know count as such, so that none can make us spin.
    Shortage,
    /// The socket: it was shut.
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
