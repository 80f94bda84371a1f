//! The ways to make workers leave: gracefully by draining, otherwise by signals, with a deadline.

use std::time::Duration;

use super::life::Role;
use super::worker::State;
use super::{Action, Event, Retirement, Signal, Supervisor, Timer, WorkerId};

impl Supervisor {
    /// The gate of the first invariant: whether one fewer ready worker is allowed now.
    pub(super) fn may_retire(&self) -> bool {
        self.counts.ready > self.desired() && self.may_drain(self.desired())
    }

    /// Returns whether one more may drain, if `desired` workers are wanted.
    pub(super) fn may_drain(&self, desired: usize) -> bool {
        self.counts.draining() < self.policy.max_draining.unwrap_or(desired).max(1)
    }

    /// Orders a ready worker to drain. The caller has given its place to another worker, or to none.
    pub(super) fn retire(&mut self, id: WorkerId, why: Retirement) {
        let (window, deadline) = (self.policy.drain_window, self.policy.drain_timeout);
        self.drain(id, why, window, deadline);
    }

    pub(super) fn drain(
        &mut self,
        id: WorkerId,
        why: Retirement,
        window: Duration,
        deadline: Duration,
    ) {
        self.begin_draining(id, why, deadline);
        self.act(Action::Drain { worker: id, window, deadline });
    }

    /// The worker is already draining, of its own accord; we only set the deadline.
    pub(super) fn leaves_unasked(&mut self, id: WorkerId) {
        self.begin_draining(id, Retirement::OwnWish, self.policy.drain_timeout);
        let worker = self.workers[&id].clone();
        let how = format!("left{}", worker.moment(self.now()));
        self.lost(id, &worker, &how);
    }

    fn begin_draining(&mut self, id: WorkerId, why: Retirement, deadline: Duration) {
        self.set_state(id, State::Draining { closed: false });
        self.expect_end(id);
        for timer in [Timer::HeardBy(id), Timer::Lifetime(id), Timer::Trusted(id)] {
            self.timers.disarm(timer);
        }
        self.timers.arm(Timer::DrainedBy(id), self.now().after(deadline));
        self.emit(Event::Draining(id, why));
    }

    /// Stops a worker that is not ready and not needed; it does not accept connections yet.
    pub(super) fn discard(&mut self, id: WorkerId) {
        self.expect_end(id);
        self.condemn(id, Signal::Term, self.policy.term_grace);
    }

    /// Kills a worker without asking.
    pub(super) fn kill(&mut self, id: WorkerId) {
        self.expect_end(id);
        if matches!(self.state(id), Some(State::Starting | State::Ready)) {
            self.set_state(id, State::Dying);
        }
        for timer in Timer::of(id) {
            self.timers.disarm(timer);
        }
        self.signal(id, Signal::Kill);
    }

    /// Kills a worker that cannot be trusted to drain. `how` completes the sentence "worker 7 …".
    pub(super) fn put_down(&mut self, id: WorkerId, how: &str, signal: Signal, grace: Duration) {
        self.emit(Event::Unhealthy(id, how.to_owned()));
        if let Some(State::Draining { .. }) = self.state(id) {
            self.cut(id);
            return;
        }
        self.condemn(id, signal, grace);
        let worker = self.workers[&id].clone();
        if self.must_not_wait_for(id) {
            self.lost(id, &worker, how);
        } else {
            // Its successor waits for its exit: a hung worker may still hold what the next one needs.
            self.drop_replacement(worker.slot);
            self.touch(worker.slot);
        }
    }

    /// Returns whether its place is free even before it is gone.
    fn must_not_wait_for(&self, id: WorkerId) -> bool {
        let worker = &self.workers[&id];
        self.role(id, worker.slot) != Role::Current
            || self.slot(worker.slot).newcomer.is_some()
            || self.target < self.desired()
            || self.is_of_the_reload(worker)
    }

    /// Sends an order over the channel, and the signal along with it: it is not known whether the
    /// worker will read the order or die from the signal. A ready worker has the grace period to
    /// finish its answers.
    fn condemn(&mut self, id: WorkerId, signal: Signal, grace: Duration) {
        let (now, was) = (self.now(), self.state(id));
        self.set_state(id, State::Dying);
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.condemned = Some(now);
        }
        for timer in Timer::of(id) {
            self.timers.disarm(timer);
        }
        self.timers.arm(Timer::KillAt(id), now.after(grace));
        match (signal, was) {
            (Signal::Term, Some(State::Ready)) => {
                // Without a window it would be a stop.
                let window = self.policy.drain_window.min(grace).max(Duration::from_millis(1));
                self.act(Action::Drain { worker: id, window, deadline: grace });
            }
            (Signal::Term, _) => self.act(Action::Cut(id)),
            _ => {}
        }
        self.signal(id, signal);
    }

    /// Sends the order to cut, and SIGKILL if that does not help.
    pub(super) fn cut(&mut self, id: WorkerId) {
        self.timers.disarm(Timer::DrainedBy(id));
        if self.timers.due(Timer::KillAt(id)).is_none() {
            self.timers.arm(Timer::KillAt(id), self.now().after(self.policy.term_grace));
            self.act(Action::Cut(id));
        }
    }

    /// A worker accepts no more connections. If it was not asked to, this is as good as a report that
    /// it is leaving.
    pub(super) fn stopped_accepting(&mut self, id: WorkerId) {
        if self.state(id) == Some(State::Ready) {
            self.leaves_unasked(id);
        }
        if self.state(id) == Some(State::Draining { closed: false }) {
            self.set_state(id, State::Draining { closed: true });
            self.emit(Event::Disconnected(id));
            let worker = self.workers[&id].clone();
            self.closed(id, &worker);
        }
    }

    pub(super) fn signal(&mut self, worker: WorkerId, signal: Signal) {
        self.act(Action::Signal { worker, signal });
    }

    fn expect_end(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.expected = true;
        }
    }
}
