//! What keeps a worker for work that outlives its request.

use std::fmt;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::phase::{Phase, drain};

/// Each request carries one as an extension. Take it along into a task that outlives the request,
/// such as that of a WebSocket: a draining worker waits until all tokens are dropped, or the
/// deadline has come.
#[derive(Clone)]
pub struct Token {
    phase: watch::Receiver<Phase>,
    _held: TaskTrackerToken,
}

impl Token {
    pub(super) fn new(phase: watch::Receiver<Phase>, held: TaskTrackerToken) -> Self {
        Self { phase, _held: held }
    }

    /// Resolves when the worker has been told to leave; at once, if it has been already.
    pub async fn draining(&self) {
        drain(&mut self.phase.clone()).await;
    }

    /// When the connection will be cut; `None` while no drain has begun.
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
