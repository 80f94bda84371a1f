//! What a server tells about its work, for metrics.

use std::time::Duration;

use hyper::{Method, StatusCode};

/// Is told what happens. Called inside connection tasks: it must not block.
pub trait Observer: Send + Sync + 'static {
    /// A connection was accepted.
    fn opened(&self) {}

    /// A connection is gone.
    fn closed(&self) {}

    /// A request was answered; `elapsed` is the time from the end of its head to the end of the
    /// answer, as far as it was written.
    fn request(&self, method: &Method, status: StatusCode, elapsed: Duration) {
        let _ = (method, status, elapsed);
    }
}

/// Nobody listens.
impl Observer for () {}
