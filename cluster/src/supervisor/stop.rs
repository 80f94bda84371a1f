//! The end of the cluster, gracefully or at once; either way with a deadline.
//!
//! A worker that is not ready is stopped at once: it serves no client. A ready one drains without a
//! window. When all of them have emptied the queue, or after a moment, the kernel refuses new
//! connections. At the deadline, workers get the order to cut, then SIGKILL.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::worker::State;
use super::{Action, Event, Retirement, Supervisor, Timer, WorkerId};

/// A stop under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Stop {
    /// New connections are already being refused.
    refused: bool,
    /// Workers are given no more time.
    at_once: bool,
    finished: bool,
}

impl Supervisor {
    pub(super) fn stop_wanted(&mut self) {
        if self.stop.is_some() {
            return; // one request, however many times it arrives
        }
        self.begin_stop();
        let (now, deadline) = (self.now(), self.policy.shutdown_timeout);
        let kill_at = now.after(deadline).after(self.policy.term_grace);
        self.timers.arm(Timer::RefuseAt, now.after(self.policy.accept_timeout));
        self.timers.arm(Timer::CutAllAt, now.after(deadline));
        self.timers.arm(Timer::KillAllAt, kill_at);
        for id in self.all_workers() {
            match self.state(id) {
                Some(State::Starting) => self.discard(id),
                Some(State::Ready) => self.drain(id, Retirement::Stop, Duration::ZERO, deadline),
                Some(State::Draining { .. }) => self.hurry(id, deadline),
                Some(State::Dying) | None => {}
            }
        }
    }

    pub(super) fn stop_at_once(&mut self) {
        self.begin_stop();
        if !self.stop.as_ref().is_some_and(|stop| stop.at_once) {
            self.refuse_connections();
            self.kill_all();
        }
    }

    fn begin_stop(&mut self) {
        if self.stop.is_some() {
            return;
        }
        self.emit(Event::Stopping);
        self.abandon_reload();
        self.stop = Some(Stop::default());
        for slot in self.used.clone() {
            self.timers.disarm(Timer::Restart(slot));
            self.timers.disarm(Timer::Replace(slot));
        }
        self.replacing.clear();
        self.surplus.clear();
        self.ripe.clear();
    }

    /// A worker is already draining: from now on it drains without a window, and for no longer than
    /// the others.
    fn hurry(&mut self, id: WorkerId, deadline: Duration) {
        let at = self.now().after(deadline);
        if self.timers.due(Timer::DrainedBy(id)).is_some_and(|own| own > at) {
            self.timers.arm(Timer::DrainedBy(id), at);
            self.act(Action::Drain { worker: id, window: Duration::ZERO, deadline });
        }
    }

    pub(super) fn go_on_stopping(&mut self) {
        let Some(stop) = self.stop.as_ref().filter(|stop| !stop.finished) else { return };
        if !stop.refused && self.counts.accepting == 0 {
            self.refuse_connections();
        }
        if self.workers.is_empty() {
            self.timers.clear();
            self.act(Action::Finished);
            self.stop = Some(Stop { refused: true, at_once: true, finished: true });
        }
    }

    pub(super) fn refuse_connections(&mut self) {
        self.timers.disarm(Timer::RefuseAt);
        if let Some(stop) = self.stop.as_mut().filter(|stop| !stop.refused) {
            stop.refused = true;
            self.act(Action::RefuseConnections);
        }
    }

    pub(super) fn cut_all(&mut self) {
        for id in self.all_workers() {
            self.cut(id);
        }
    }

    pub(super) fn kill_all(&mut self) {
        self.timers.clear();
        for id in self.all_workers() {
            self.kill(id);
        }
        if let Some(stop) = &mut self.stop {
            stop.at_once = true;
        }
    }

    fn all_workers(&self) -> Vec<WorkerId> {
        self.workers.keys().copied().collect()
    }
}
