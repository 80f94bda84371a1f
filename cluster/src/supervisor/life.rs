//! The life of workers: spawned, ready, gone; and the reuse of the place that they leave.

use super::restart::{End, Verdict};
use super::slot::Place;
use super::worker::{State, Worker};
use super::{Action, Event, Exit, Generation, SlotId, Supervisor, Timer, WorkerId};

/// The role of a worker in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It owns the slot.
    Current,
    /// It will own the slot.
    Newcomer,
    /// It has left the slot.
    None,
}

impl Supervisor {
    /// Puts a worker into a slot that has none.
    pub(super) fn fill(&mut self, slot: SlotId) {
        debug_assert!(self.slot(slot).is_empty(), "slot {slot} is taken");
        self.timers.disarm(Timer::Restart(slot));
        let generation = self.version_due(slot);
        let worker = self.spawn(slot, generation);
        self.slot_mut(slot).place = Place::Taken(worker);
        self.touch(slot);
    }

    pub(super) fn spawn(&mut self, slot: SlotId, generation: Generation) -> WorkerId {
        let (id, now) = (WorkerId(self.last_worker.0 + 1), self.now());
        let worker = Worker::new(slot, generation, now, &self.policy, &mut self.dice);
        *self.counts.of(worker.state) += 1;
        self.workers.insert(id, worker);
        self.last_worker = id;
        self.programs.hold(generation);
        self.slot_mut(slot).spawned += 1;
        self.timers.arm(Timer::ReadyBy(id), now.after(self.policy.ready_timeout));
        self.emit(Event::Spawned { worker: id, slot, generation });
        self.act(Action::Spawn { worker: id, slot, generation });
        id
    }

    pub(super) fn became_ready(&mut self, id: WorkerId) {
        let now = self.now();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if worker.state != State::Starting || worker.expected {
            return;
        }
        worker.ready = Some(now);
        worker.last_report = now;
        let (slot, silence) = (worker.slot, worker.silence());
        self.set_state(id, State::Ready);
        self.timers.disarm(Timer::ReadyBy(id));
        if let Some(silence) = silence {
            self.timers.arm(Timer::HeardBy(id), now.after(silence));
        }
        self.act(Action::Accept(id));
        self.emit(Event::Ready(id));
        self.watch_early_life(slot);
        self.limit_lifetime(id);
        self.replace_terminated(id);
        self.prove(id);
    }

    /// Until the worker of this slot has lived for the minimum up-time, the early deaths before it
    /// still count, and the version before its own is kept.
    pub(super) fn watch_early_life(&mut self, slot: SlotId) {
        let state = self.slot(slot);
        let remembers = state.failures.count() > 0 || state.fallback.is_some();
        let Some(id) = state.current().filter(|_| remembers) else { return };
        let worker = &self.workers[&id];
        if worker.state == State::Ready {
            let stable = worker.spawned.after(self.policy.min_uptime).max(self.now());
            self.timers.arm(Timer::Stable(id), stable);
        }
    }

    pub(super) fn stable(&mut self, id: WorkerId) {
        let slot = self.workers[&id].slot;
        if self.role(id, slot) == Role::Current {
            self.slot_mut(slot).failures.clear();
            self.end_probation(slot);
        }
    }

    /// A worker must still serve these listeners before it is ready.
    pub(super) fn waits_for(&mut self, id: WorkerId, listeners: Vec<String>) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.waits_for = Some(listeners);
        }
    }

    /// A worker cannot start; its exit follows.
    pub(super) fn cannot_begin(&mut self, id: WorkerId, reason: String, shortage: bool) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.shortage = shortage;
        worker.cannot_begin = Some(reason);
    }

    /// A worker reports that it is leaving: this is not a crash, but its place is free.
    pub(super) fn leaves(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match worker.state {
            State::Starting => worker.expected = true,
            State::Ready => self.leaves_unasked(id),
            State::Draining { .. } | State::Dying => {}
        }
    }

    pub(super) fn never_started(&mut self, id: WorkerId, reason: &str, shortage: bool) {
        self.cannot_begin(id, reason.to_owned(), shortage);
        self.gone(id, Exit::NeverStarted, |_| format!("could not be started: {reason}"));
    }

    pub(super) fn exited(&mut self, id: WorkerId, exit: Exit) {
        let now = self.now();
        self.gone(id, exit, |worker| match &worker.cannot_begin {
            Some(reason) => format!("could not start: {reason}"),
            None => format!("{exit}{}", worker.moment(now)),
        });
    }

    fn gone(&mut self, id: WorkerId, exit: Exit, how: impl Fn(&Worker) -> String) {
        let Some(worker) = self.workers.remove(&id) else { return };
        *self.counts.of(worker.state) -= 1;
        for timer in Timer::of(id) {
            self.timers.disarm(timer);
        }
        let uptime = worker.uptime(self.now());
        self.emit(Event::Exited { worker: id, exit, voluntary: worker.expected, uptime });
        self.closed(id, &worker);
        self.lost(id, &worker, &how(&worker));
        self.release(worker.generation);
    }

    /// A worker no longer serves its slot: it is gone, or as good as gone. `how` completes the
    /// sentence "worker 7 …".
    pub(super) fn lost(&mut self, id: WorkerId, worker: &Worker, how: &str) {
        let (slot, role) = (worker.slot, self.role(id, worker.slot));
        let was_surplus = self.surplus.remove(&id).is_some();
        match role {
            Role::None if was_surplus => {}
            Role::None => return,
            Role::Newcomer => self.dismiss_newcomer(slot),
            Role::Current => {
                self.slot_mut(slot).place = Place::Vacant;
                self.drop_replacement(slot);
            }
        }
        let end = worker.end(self.now(), &self.policy);
        if self.stop.is_some() || self.fails_reload(id, worker, how) {
            return;
        }
        match role {
            Role::Current => self.vacated(slot, end, worker),
            Role::Newcomer => self.replace_later(slot, end, worker),
            Role::None => {}
        }
    }

    /// A slot has lost its worker: chooses the next worker and its starting time.
    fn vacated(&mut self, slot: SlotId, end: End, worker: &Worker) {
        if self.slot(slot).newcomer.is_some() {
            self.promote(slot);
        } else if self.target < self.desired() {
            self.give_up(slot);
        } else if self.reload.is_some() || self.fails_probation(slot, end) && end == End::Early {
            self.refill(slot);
        } else {
            self.restart(slot, end, worker);
        }
    }

    /// Fills a slot for a reason other than a death: its earlier failures are forgotten.
    pub(super) fn refill(&mut self, slot: SlotId) {
        if self.target < self.desired() {
            self.give_up(slot);
        } else {
            self.slot_mut(slot).failures.clear();
            self.fill(slot);
        }
    }

    fn restart(&mut self, slot: SlotId, end: End, worker: &Worker) {
        let (policy, dice) = (&self.policy, &mut self.dice);
        let state = &mut self.slots[slot.0 as usize];
        let verdict = state.failures.after(end, policy, dice);
        let failures = state.failures.count();
        let (place, delay, event) = match verdict {
            Verdict::AtOnce => return self.fill(slot),
            Verdict::After(delay) => {
                (Place::BackingOff, delay, Event::BackingOff { slot, failures, delay })
            }
            Verdict::Errored(delay) if failures == policy.max_early_deaths => {
                (Place::Errored, delay, Event::Errored { slot, failures, delay })
            }
            Verdict::Errored(delay) => {
                (Place::Errored, delay, Event::BackingOff { slot, failures, delay })
            }
            Verdict::Shortage(delay) => {
                let reason = worker.cannot_begin.clone().unwrap_or_default();
                (state.waiting(policy), delay, Event::StartRefused { slot, reason, delay })
            }
        };
        state.place = place;
        self.timers.arm(Timer::Restart(slot), self.clock.now().after(delay));
        self.emit(event);
    }

    pub(super) fn role(&self, id: WorkerId, slot: SlotId) -> Role {
        let slot = self.slot(slot);
        if slot.current() == Some(id) {
            Role::Current
        } else if slot.newcomer == Some(id) {
            Role::Newcomer
        } else {
            Role::None
        }
    }

    pub(super) fn set_state(&mut self, id: WorkerId, state: State) {
        let worker = self.workers.get_mut(&id).expect("only live workers change their state");
        *self.counts.of(worker.state) -= 1;
        *self.counts.of(state) += 1;
        worker.state = state;
    }

    pub(super) fn state(&self, id: WorkerId) -> Option<State> {
        self.workers.get(&id).map(|worker| worker.state)
    }
}
