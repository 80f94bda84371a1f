//! The stream that hyper reads from and writes to.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::DropGuard;

use super::progress::Progress;
use super::transport::Transport;
use super::wire::{Side, Wire};

/// Passes bytes on, and reports them to [`Progress`].
///
/// If nothing can be read and the connection has waited long enough, the tap shows an end of file.
/// So bytes that have already arrived are always read first.
pub(super) struct Tap<IO: Transport> {
    wire: Arc<Wire<IO>>,
    progress: Arc<Progress>,
    /// Bytes that were read earlier and are delivered first.
    unread: Bytes,
    /// Notifies the connection's task when the tap is dropped.
    _dropped: DropGuard,
}

impl<IO: Transport> Tap<IO> {
    pub(super) fn new(
        wire: Arc<Wire<IO>>,
        progress: Arc<Progress>,
        unread: Bytes,
        dropped: DropGuard,
    ) -> Self {
        Self { wire, progress, unread, _dropped: dropped }
    }

    fn read_unread(&mut self, buf: &mut ReadBuf<'_>) {
        let bytes = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread[..bytes]);
        self.unread.advance(bytes);
    }

    fn write(
        &self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut IO>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let polled = self.wire.poll(Side::Writer, cx, write);
        if polled.is_pending() {
            self.progress.blocked();
        }
        polled
    }
}

impl<IO: Transport> AsyncRead for Tap<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            self.read_unread(buf);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = self.wire.poll(Side::Reader, cx, |io, cx| io.poll_read(cx, buf));
        match polled {
            Poll::Ready(Ok(())) => self.progress.received(&buf.filled()[before..]),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.progress.is_overdue() && !self.wire.has_bytes() {
                    self.progress.give_up();
                    return Poll::Ready(Ok(()));
                }
            }
        }
        polled
    }
}

impl<IO: Transport> AsyncWrite for Tap<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |io, cx| io.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |io, cx| io.poll_write_vectored(cx, bufs))
    }

    /// hyper flushes when its own buffer is empty: by then everything has been written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.wire.poll(Side::Writer, cx, IO::poll_flush);
        if let Poll::Ready(Ok(())) = polled {
            self.progress.flushed();
        }
        polled
    }

    /// The connection's task closes the stream (see `linger`), unless the connection is upgraded.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.progress.is_upgraded() {
            self.wire.poll(Side::Writer, cx, IO::poll_shutdown)
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}
