//! The body of an answer, and the work at its end.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};
use hyper::{Method, StatusCode};
use tokio::time::Instant;

use super::piece::Piece;
use super::progress::Part;
use super::server::Shared;

/// The body of an answer: the service's, or none when the answer is ours.
pub(super) struct Answer<B> {
    body: Option<Pin<Box<B>>>,
    /// Dropped after the body and its last piece; hyper keeps the pieces until they are written.
    open: Arc<Part>,
    _record: Record,
}

impl<B> Answer<B> {
    pub(super) fn new(body: Option<B>, open: Part, record: Record) -> Self {
        Self { body: body.map(Box::pin), open: Arc::new(open), _record: record }
    }
}

impl<B> Body for Answer<B>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Piece<B::Data>;
    type Error = Box<dyn StdError + Send + Sync>;

    /// A body that panics ends with an error, which ends the connection but not the worker.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece<B::Data>>, Self::Error>>> {
        let Self { body: Some(body), open, .. } = &mut *self else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_frame(cx)));
        match polled {
            Ok(polled) => polled.map(|next| {
                let piece = |data| Piece::new(data, Arc::clone(open));
                next.map(|frame| Ok(frame.map_err(Into::into)?.map_data(piece)))
            }),
            Err(_panic) => {
                self.body = None;
                Poll::Ready(Some(Err("the body of the answer panicked".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_deref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_deref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// Counts an answer when it is dropped.
pub(super) struct Record {
    pub(super) shared: Arc<Shared>,
    pub(super) method: Method,
    pub(super) status: StatusCode,
    pub(super) began: Instant,
}

impl Drop for Record {
    fn drop(&mut self) {
        self.shared.answered(&self.method, self.status, self.began.elapsed());
    }
}
