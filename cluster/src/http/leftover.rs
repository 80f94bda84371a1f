//! What a service did not read of a request's body.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::progress::Part;

/// More than this is not read for nothing.
const MOST: usize = 256 * 1024;
/// How long the answer waits for it.
const PATIENCE: Duration = Duration::from_millis(200);

/// The rest of a body that nobody wants.
///
/// hyper closes a connection whose request was not read to its end, without having said so. A client
/// that keeps the connection may lose its next request. So a short rest is read before the answer is
/// given, and where it is long or slow, the answer says `Connection: close`.
pub(super) struct Leftover {
    pub(super) body: Incoming,
    pub(super) _open: Part,
}

impl Leftover {
    /// Reads it to its end, if that is near.
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

/// What has become of a body; shared by the body and the one who answers.
#[derive(Default)]
pub(super) struct Fate(Mutex<State>);

#[derive(Default)]
struct State {
    late: bool,
    leftover: Option<Leftover>,
}

impl Fate {
    /// The body took longer than allowed.
    pub(super) fn is_late(&self) -> bool {
        self.lock().late
    }

    pub(super) fn set_late(&self) {
        self.lock().late = true;
    }

    pub(super) fn leave(&self, leftover: Leftover) {
        self.lock().leftover = Some(leftover);
    }

    /// What the service has not read, and will not any more.
    pub(super) fn take_leftover(&self) -> Option<Leftover> {
        self.lock().leftover.take()
    }

    /// Nothing under this lock can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
