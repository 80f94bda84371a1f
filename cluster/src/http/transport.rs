//! What a connection runs over.

use std::os::fd::{AsFd, AsRawFd, RawFd};

use nix::sys::socket::{MsgFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpStream, UnixStream};

use crate::listener::Stream;

/// A byte stream to a client.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Whether the kernel holds bytes of the client. Asked before an idle connection is closed:
    /// Tokio learns of new bytes from epoll, a moment later than the kernel has them.
    fn has_bytes(&self) -> bool;
}

impl Transport for TcpStream {
    fn has_bytes(&self) -> bool {
        peek(self.as_raw_fd())
    }
}

impl Transport for UnixStream {
    fn has_bytes(&self) -> bool {
        peek(self.as_raw_fd())
    }
}

impl Transport for Stream {
    fn has_bytes(&self) -> bool {
        peek(self.as_fd().as_raw_fd())
    }
}

/// A pipe within the process knows of its bytes at once.
impl Transport for DuplexStream {
    fn has_bytes(&self) -> bool {
        false
    }
}

fn peek(socket: RawFd) -> bool {
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    recv(socket, &mut [0], flags).is_ok_and(|bytes| bytes > 0)
}
