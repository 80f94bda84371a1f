//! The progress of a connection: the client's bytes and the answers.
//!
//! The tap reports bytes, and the service reports requests and answers. The result is the one fact
//! that hyper does not report: whether the connection is idle, and until when it may stay idle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::phase::Phase;
use super::stage::{Sent, Stage, next_look};
use crate::config::HttpLimits;

/// The progress of one connection; shared by its tap, its service and its task.
pub(super) struct Progress {
    limits: HttpLimits,
    phase: watch::Receiver<Phase>,
    state: Mutex<State>,
    /// Notified when the last stream of an HTTP/2 connection is over, wherever that happens.
    idle: Notify,
}

struct State {
    stage: Stage,
    /// The stage in which the tap has shown hyper an end of file.
    gave_up: Option<Stage>,
    /// Distinguishes the current exchange from earlier ones, parts of which may still exist.
    exchanges: u64,
}

impl Progress {
    pub(super) fn new(limits: HttpLimits, phase: watch::Receiver<Phase>) -> Self {
        let stage = Stage::Idle { since: Instant::now() };
        let begun = State { stage, gave_up: None, exchanges: 0 };
        Self { limits, phase, state: Mutex::new(begun), idle: Notify::new() }
    }

    /// The instant at which the connection has waited long enough for its client.
    pub(super) fn due(&self) -> Option<Instant> {
        self.lock().stage.due(&self.limits, *self.phase.borrow())
    }

    /// Returns whether an HTTP/1 connection has waited long enough.
    pub(super) fn is_overdue(&self) -> bool {
        let stage = self.lock().stage;
        matches!(stage, Stage::Idle { .. } | Stage::Head { .. } | Stage::Preface { .. })
            && stage
                .due(&self.limits, *self.phase.borrow())
                .is_some_and(|due| due <= Instant::now())
    }

    /// Records bytes that have arrived. Line ends between two requests do not count: some clients
    /// send them.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.gave_up = None;
        let blank = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if matches!(state.stage, Stage::Idle { .. }) && !blank {
            state.stage = Stage::Head { since: Instant::now() };
        }
    }

    /// Starts an exchange: a request's head is complete. The guards live as long as its body and
    /// answer.
    pub(super) fn begin(self: &Arc<Self>) -> (Part, Part) {
        let mut state = self.lock();
        state.exchanges += 1;
        let exchange = state.exchanges;
        state.stage = state.stage.begun();
        drop(state);
        let part = |side| Part { progress: Arc::clone(self), exchange, side };
        (part(Side::Request), part(Side::Answer))
    }

    /// Makes a part that keeps an HTTP/2 connection from being idle, in addition to the request and
    /// its answer.
    pub(super) fn hold(self: &Arc<Self>) -> Option<Part> {
        let mut state = self.lock();
        let exchange = state.exchanges;
        let Stage::Streams { open, .. } = &mut state.stage else { return None };
        *open += 1;
        Some(Part { progress: Arc::clone(self), exchange, side: Side::Request })
    }

    /// Records that all bytes have been written.
    pub(super) fn flushed(&self) {
        let mut state = self.lock();
        match &mut state.stage {
            Stage::Exchange { sent: sent @ Sent::Written, .. } => {
                *sent = Sent::Flushed;
                state.stage = state.stage.settled();
            }
            Stage::Streams { blocked: blocked @ true, since, .. } => {
                *blocked = false;
                *since = Instant::now();
            }
            _ => {}
        }
    }

    /// Records that the kernel currently accepts no more bytes.
    pub(super) fn blocked(&self) {
        if let Stage::Streams { blocked, .. } = &mut self.lock().stage {
            *blocked = true;
        }
    }

    /// Records that the bytes so far are the start of HTTP/2's preface, and not of a request.
    pub(super) fn prefaced(&self) {
        let mut state = self.lock();
        if let Stage::Head { since } = state.stage {
            state.stage = Stage::Preface { since };
        }
    }

    /// Records that the client speaks HTTP/2.
    pub(super) fn multiplexed(&self) {
        let since = Instant::now();
        self.lock().stage = Stage::Streams { open: 0, since, goodbye: None, blocked: false };
    }

    /// Resolves when an HTTP/2 connection has become idle.
    pub(super) async fn idle(&self) {
        self.idle.notified().await;
    }

    /// Returns whether it is time for an HTTP/2 connection's GOAWAY; true only once.
    pub(super) fn says_goodbye(&self) -> bool {
        let phase = *self.phase.borrow();
        let mut state = self.lock();
        let due = state.stage.due(&self.limits, phase).is_some_and(|due| due <= Instant::now());
        match &mut state.stage {
            Stage::Streams { goodbye: goodbye @ None, .. } if due || phase != Phase::Serving => {
                *goodbye = Some(Instant::now());
                true
            }
            _ => false,
        }
    }

    /// Returns whether an HTTP/2 client has stayed for too long after GOAWAY with no stream open.
    pub(super) fn outstays(&self) -> bool {
        let stage = self.lock().stage;
        matches!(stage, Stage::Streams { goodbye: Some(_), .. })
            && stage
                .due(&self.limits, *self.phase.borrow())
                .is_some_and(|due| due <= Instant::now())
    }

    /// Returns whether it is time to check that the client of the current answer is still there;
    /// sets the time of the next check.
    pub(super) fn wants_a_look(&self) -> bool {
        match &mut self.lock().stage {
            Stage::Exchange { look, .. } if *look <= Instant::now() => {
                *look = next_look();
                true
            }
            _ => false,
        }
    }

    /// Records that the connection now speaks another protocol.
    pub(super) fn upgraded(&self) {
        self.lock().stage = Stage::Upgraded;
    }

    pub(super) fn is_upgraded(&self) -> bool {
        matches!(self.lock().stage, Stage::Upgraded)
    }

    /// Records that the tap shows hyper an end of file.
    pub(super) fn give_up(&self) {
        let mut state = self.lock();
        state.gave_up = Some(state.stage);
    }

    /// The stage in which the tap has shown an end of file, if it has.
    pub(super) fn gave_up(&self) -> Option<Stage> {
        self.lock().gave_up
    }

    /// Takes back an end of file: the connection seemed idle, but hyper had the beginning of a
    /// head.
    pub(super) fn found_half_a_head(&self) {
        let mut state = self.lock();
        state.gave_up = None;
        state.stage = Stage::Head { since: Instant::now() };
    }

    fn end(&self, exchange: u64, side: Side) {
        let mut state = self.lock();
        let current = state.exchanges == exchange;
        match (&mut state.stage, side) {
            (Stage::Streams { open, since, .. }, _) => {
                *open -= 1;
                *since = Instant::now();
                if *open == 0 {
                    self.idle.notify_one();
                }
            }
            (Stage::Exchange { asking, .. }, Side::Request) if current => *asking = false,
            (Stage::Exchange { sent, .. }, Side::Answer) if current => *sent = Sent::Written,
            _ => return,
        }
        state.stage = state.stage.settled();
    }

    /// Nothing under this lock can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of an exchange that is not over. Dropping the value ends the part.
pub(super) struct Part {
    progress: Arc<Progress>,
    exchange: u64,
    side: Side,
}

#[derive(Clone, Copy)]
enum Side {
    Request,
    Answer,
}

impl Drop for Part {
    fn drop(&mut self) {
        self.progress.end(self.exchange, self.side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Arc<Progress> {
        let (_, phase) = watch::channel(Phase::Serving);
        Arc::new(Progress::new(HttpLimits::default(), phase))
    }

    #[test]
    fn bytes_after_a_shown_end_of_file_undo_it() {
        let progress = progress();
        progress.give_up();
        assert!(progress.gave_up().is_some());
        progress.received(b"G");
        assert!(progress.gave_up().is_none());
    }

    #[test]
    fn rest_of_an_old_exchange_does_not_end_a_new_one() {
        let progress = progress();
        let (old_request, old_answer) = progress.begin();
        let _new = progress.begin();
        drop((old_request, old_answer));
        progress.flushed();
        assert!(matches!(
            progress.lock().stage,
            Stage::Exchange { asking: true, sent: Sent::Partly, .. }
        ));
    }
}
