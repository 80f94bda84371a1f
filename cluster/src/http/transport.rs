//! The transport of a connection.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpStream, UnixStream};

use crate::listener::Stream;

/// A byte stream to a client.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Returns whether the kernel holds bytes from the client. Called before an idle connection is
    /// closed: Tokio learns of new bytes from epoll, a moment after the kernel has them.
    fn has_bytes(&self) -> bool;

    /// Returns whether the client is known to be gone, and cannot read an answer: it has reset the
    /// connection, or has closed its end of a Unix socket.
    ///
    /// On TCP a client that has closed its socket and one that has closed only its own half and is
    /// waiting for the answer look the same: both have sent FIN. Neither is gone in this sense.
    fn has_hung_up(&self) -> bool;
}

impl Transport for TcpStream {
    fn has_bytes(&self) -> bool {
        peek(self.as_raw_fd())
    }

    fn has_hung_up(&self) -> bool {
        is_dead(self.as_fd())
    }
}

impl Transport for UnixStream {
    fn has_bytes(&self) -> bool {
        peek(self.as_raw_fd())
    }

    fn has_hung_up(&self) -> bool {
        is_dead(self.as_fd())
    }
}

impl Transport for Stream {
    fn has_bytes(&self) -> bool {
        peek(self.as_fd().as_raw_fd())
    }

    fn has_hung_up(&self) -> bool {
        is_dead(self.as_fd())
    }
}

/// A pipe within the process shows its bytes at once. It cannot be reset.
impl Transport for DuplexStream {
    fn has_bytes(&self) -> bool {
        false
    }

    fn has_hung_up(&self) -> bool {
        false
    }
}

fn peek(socket: RawFd) -> bool {
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    recv(socket, &mut [0], flags).is_ok_and(|bytes| bytes > 0)
}

/// Without events to wait for, poll(2) still reports an error (a reset) and a hang-up (both halves
/// are closed). If only the client's half is closed, it reports neither.
fn is_dead(socket: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::new(socket, PollFlags::empty())];
    let dead = PollFlags::POLLERR | PollFlags::POLLHUP;
    poll(&mut watched, PollTimeout::ZERO).is_ok()
        && watched[0].revents().is_some_and(|seen| seen.intersects(dead))
}
