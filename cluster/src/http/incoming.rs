//! The body of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::leftover::{Fate, Leftover};
use super::progress::Part;
use crate::Error;

/// The body of a request, as hyper receives it; used like [`hyper::body::Incoming`].
///
/// The body must arrive within `body_time`; only the time spent waiting for the client counts.
/// After that the body ends with an error, and the connection is closed.
pub struct Incoming {
    /// hyper's body, and the part that keeps the request open; both are kept until the body has
    /// ended.
    open: Option<(hyper::body::Incoming, Part)>,
    patience: Patience,
    fate: Arc<Fate>,
}

impl Incoming {
    pub(super) fn new(
        body: hyper::body::Incoming,
        body_time: Duration,
        fate: Arc<Fate>,
        open: Part,
    ) -> Self {
        let open = (!body.is_end_stream()).then_some((body, open));
        Self { open, patience: Patience { left: body_time, waiting: None }, fate }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some((body, _)) = &mut this.open else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            ready!(this.patience.poll(cx));
            this.open = None;
            this.fate.set_late();
            return Poll::Ready(Some(Err(late())));
        };
        this.patience.pause();
        if body.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            this.open = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(lost)))
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.open.as_ref().map_or_else(|| SizeHint::with_exact(0), |(body, _)| body.size_hint())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some((body, open)) = self.open.take() {
            self.fate.leave(Leftover { body, _open: open });
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}

fn late() -> Error {
    Error::new("the body of the request took longer than body_time")
}

fn lost(error: hyper::Error) -> Error {
    Error::because("the body of the request did not arrive completely", error)
}

/// The time left to wait for the client.
struct Patience {
    left: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Patience {
    /// Continues to wait; ready when the time is up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = self.left;
        let waiting = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        waiting.1.as_mut().poll(cx)
    }

    /// Stops the clock, because bytes have arrived.
    fn pause(&mut self) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }
}
