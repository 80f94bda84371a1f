//! The owner of a connection's transport.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::transport::Transport;

/// Owns the transport, while hyper or the owner of an upgraded connection uses it through a tap.
///
/// So the connection's task can always take it back, no matter what hyper drops and when: to close it
/// gently, or to cut it.
pub(super) struct Wire<IO> {
    held: Mutex<Held<IO>>,
}

struct Held<IO> {
    io: Option<IO>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The side that waits if the transport is not ready.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Reader,
    Writer,
}

impl<IO: Transport> Wire<IO> {
    pub(super) fn new(io: IO) -> Self {
        let held = Held { io: Some(io), reader: None, writer: None };
        Self { held: Mutex::new(held) }
    }

    /// Runs `act` on the transport, or returns an error if the transport is gone.
    pub(super) fn poll<T>(
        &self,
        side: Side,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut IO>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut held = self.lock();
        let Some(io) = &mut held.io else {
            return Poll::Ready(Err(cut()));
        };
        let polled = act(Pin::new(io), cx);
        if polled.is_pending() {
            held.remember(side, cx.waker());
        }
        polled
    }

    pub(super) fn has_bytes(&self) -> bool {
        self.lock().io.as_ref().is_some_and(Transport::has_bytes)
    }

    pub(super) fn has_hung_up(&self) -> bool {
        self.lock().io.as_ref().is_some_and(Transport::has_hung_up)
    }

    pub(super) fn is_write_vectored(&self) -> bool {
        self.lock().io.as_ref().is_some_and(IO::is_write_vectored)
    }

    /// Takes the transport away from its users, and wakes them.
    pub(super) fn take(&self) -> Option<IO> {
        let mut held = self.lock();
        let wakers = [held.reader.take(), held.writer.take()];
        let io = held.io.take();
        drop(held);
        wakers.into_iter().flatten().for_each(Waker::wake);
        io
    }

    /// Only the transport's own code could panic under this lock.
    fn lock(&self) -> MutexGuard<'_, Held<IO>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<IO> Held<IO> {
    fn remember(&mut self, side: Side, waker: &Waker) {
        let kept = match side {
            Side::Reader => &mut self.reader,
            Side::Writer => &mut self.writer,
        };
        match kept {
            Some(kept) => kept.clone_from(waker),
            None => *kept = Some(waker.clone()),
        }
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the worker's drain has reached its deadline")
}
