//! The body of a request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::progress::Part;
use crate::Error;

/// The body of a request, as hyper receives it; used like [`hyper::body::Incoming`].
///
/// It has to come within `body_time`, of which only the time counts that is spent on waiting for the
/// client. After that it ends with an error, and the connection is closed.
pub struct Incoming {
    body: hyper::body::Incoming,
    patience: Patience,
    /// Given up when the body has ended.
    open: Option<Part>,
}

impl Incoming {
    pub(super) fn new(body: hyper::body::Incoming, patience: Patience, open: Part) -> Self {
        let open = (!body.is_end_stream()).then_some(open);
        Self { body, patience, open }
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
        if this.patience.is_over() {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        let Poll::Ready(frame) = polled else {
            return this.patience.poll(cx).map(|error| Some(Err(error)));
        };
        this.patience.pause();
        if this.body.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            this.open = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(lost)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.body.fmt(f)
    }
}

fn lost(error: hyper::Error) -> Error {
    Error::because("the body of the request did not come whole", error)
}

/// How much longer to wait for the client; tells everybody who shares `ran_out` when it is over.
pub(super) struct Patience {
    left: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    ran_out: Arc<AtomicBool>,
}

impl Patience {
    pub(super) fn new(left: Duration, ran_out: Arc<AtomicBool>) -> Self {
        Self { left, waiting: None, ran_out }
    }

    fn is_over(&self) -> bool {
        self.ran_out.load(Ordering::Relaxed)
    }

    /// Waits on; ready when it is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let left = self.left;
        let (_, timer) =
            self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        timer.as_mut().poll(cx).map(|()| {
            self.ran_out.store(true, Ordering::Relaxed);
            Error::new("the body of the request took longer than body_time")
        })
    }

    /// Something has come.
    fn pause(&mut self) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }
}
