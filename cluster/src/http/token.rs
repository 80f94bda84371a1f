//! The token that keeps a worker alive for work that outlives its request.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::phase::{Phase, drain};
use super::progress::Part;

/// Each request carries a token as an extension. Move it into a task that outlives the request, for
/// example the task of a WebSocket: a draining worker waits until all tokens are dropped, or the
/// deadline has passed. Until then the connection of an HTTP/2 request is not idle either: it may
/// carry a tunnel that the client has opened with CONNECT.
#[derive(Clone)]
pub struct Token {
    phase: watch::Receiver<Phase>,
    _held: TaskTrackerToken,
    _open: Option<Arc<Part>>,
}

impl Token {
    pub(super) fn new(
        phase: watch::Receiver<Phase>,
        held: TaskTrackerToken,
        open: Option<Part>,
    ) -> Self {
        Self { phase, _held: held, _open: open.map(Arc::new) }
    }

    /// Resolves when the worker begins to drain; at once if it is already draining.
    pub async fn draining(&self) {
        drain(&mut self.phase.clone()).await;
    }

    /// The instant at which the connection will be cut; `None` while no drain has begun.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.phase.borrow().deadline()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("phase", &*self.phase.borrow()).finish_non_exhaustive()
    }
}
