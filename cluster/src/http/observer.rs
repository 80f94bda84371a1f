//! The events of a server, for metrics.

use std::time::Duration;

use hyper::{Method, StatusCode};

/// Receives the events of a server. Called inside connection tasks: it must not block.
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

/// An observer that ignores all events.
impl Observer for () {}
