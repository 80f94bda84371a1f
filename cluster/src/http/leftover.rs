//! The part of a request's body that a service did not read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::progress::Part;

/// The limit of bytes that are read and discarded.
const MOST: usize = 256 * 1024;
/// The time for which the answer waits.
const PATIENCE: Duration = Duration::from_millis(200);

/// The rest of a body that the service does not want.
///
/// If a request was not read to the end, hyper closes its connection without notice, and a client
/// that keeps the connection open may lose its next request. So a short rest is read before the
/// answer is sent; if the rest is long or slow, the answer says `Connection: close`.
pub(super) struct Leftover {
    pub(super) body: Incoming,
    pub(super) _open: Part,
}

impl Leftover {
    /// Reads the rest to its end, if the end is near.
    pub(super) async fn discard(mut self) -> bool {
        let most = u64::try_from(MOST).expect("256 KiB is a small number");
        if self.body.size_hint().lower() > most {
            return false;
        }
        timeout(PATIENCE, self.read()).await.unwrap_or(false)
    }

    async fn read(&mut self) -> bool {
        let mut eaten = 0;
        while let Some(frame) = self.body.frame().await {
            let Ok(frame) = frame else { return false };
            eaten += frame.data_ref().map_or(0, bytes::Bytes::len);
            if eaten > MOST {
                return false;
            }
        }
        true
    }
}

/// The outcome of a body; shared by the body and the code that answers.
#[derive(Default)]
pub(super) struct Fate(Mutex<State>);

#[derive(Default)]
struct State {
    late: bool,
    leftover: Option<Leftover>,
}

impl Fate {
    /// Returns whether the body took longer than allowed.
    pub(super) fn is_late(&self) -> bool {
        self.lock().late
    }

    pub(super) fn set_late(&self) {
        self.lock().late = true;
    }

    pub(super) fn leave(&self, leftover: Leftover) {
        self.lock().leftover = Some(leftover);
    }

    /// Takes the rest that the service has not read, and will no longer read.
    pub(super) fn take_leftover(&self) -> Option<Leftover> {
        self.lock().leftover.take()
    }

    /// Nothing under this lock can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
