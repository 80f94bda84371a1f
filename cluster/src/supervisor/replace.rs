//! The replacement of a worker: start a newcomer, wait until it is ready, let the old one go.
//!
//! A planned replacement (memory, requests, lifetime) and each step of a reload are the same thing;
//! they share the surge. While a reload runs, planned replacements wait, because the reload replaces
//! all workers anyway.

use super::life::Role;
use super::restart::{End, Failures};
use super::slot::{Place, Replacement};
use super::worker::{State, Worker};
use super::{Action, Event, Generation, Retirement, SlotId, Supervisor, Timer, WorkerId};

impl Supervisor {
    /// A worker has reached a limit.
    pub(super) fn wants_replacement(&mut self, id: WorkerId, reason: Retirement) {
        let Some(worker) = self.workers.get(&id).filter(|w| w.state == State::Ready) else {
            return;
        };
        let (slot, stable) = (worker.slot, worker.spawned.after(self.policy.min_uptime));
        if self.role(id, slot) != Role::Current || self.slot(slot).replacement.is_some() {
            return;
        }
        let failures = Failures::default();
        self.slot_mut(slot).replacement = Some(Replacement { reason, failures });
        // A limit that is too small for the program must not cause an endless loop.
        if stable > self.now() {
            self.timers.arm(Timer::Replace(slot), stable);
        } else {
            self.replace_now(slot);
        }
    }

    /// A worker got SIGTERM from outside. It keeps serving until its successor is ready.
    pub(super) fn terminated(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id).filter(|_| self.stop.is_none()) else {
            return;
        };
        if matches!(worker.state, State::Starting | State::Ready) {
            worker.terminated = true;
            self.act(Action::ServeOn(id));
            self.replace_terminated(id);
        }
    }

    /// Replaces a worker that was asked to leave from outside, as soon as it has a slot of its own.
    /// Only a back-off delays this.
    pub(super) fn replace_terminated(&mut self, id: WorkerId) {
        let worker = &self.workers[&id];
        let slot = worker.slot;
        let is_ready = worker.terminated && worker.state == State::Ready;
        if !is_ready || self.role(id, slot) != Role::Current || self.stop.is_some() {
            return;
        }
        self.wants_replacement(id, Retirement::Terminated);
        let waits = self.slot(slot).replacement.as_ref().is_some_and(|it| !it.failures.is_clear());
        if self.slot(slot).newcomer.is_none() && !waits {
            self.timers.disarm(Timer::Replace(slot));
            self.replace_now(slot);
        }
    }

    pub(super) fn replace_now(&mut self, slot: SlotId) {
        self.replacing.insert(slot);
    }

    pub(super) fn begin_replacements(&mut self) {
        while self.reload.is_none() && self.has_surge() {
            let Some(slot) = self.replacing.pop_first() else { break };
            // A version on probation is not tried a second time.
            let state = self.slot(slot);
            self.invite(slot, state.fallback.unwrap_or(state.generation));
        }
    }

    /// Returns whether one more worker than desired may be started.
    pub(super) fn has_surge(&self) -> bool {
        self.extra() < self.policy.surge.max(1) && self.target >= self.desired()
    }

    /// Workers, starting or ready, that are not their slot's own.
    pub(super) fn extra(&self) -> usize {
        self.newcomers.len() + self.surplus.len()
    }

    /// Slots with a worker of their own, starting or ready.
    pub(super) fn occupied(&self) -> usize {
        self.counts.starting + self.counts.ready - self.extra()
    }

    /// Starts a newcomer alongside the worker that it will replace.
    pub(super) fn invite(&mut self, slot: SlotId, generation: Generation) {
        let worker = self.spawn(slot, generation);
        self.slot_mut(slot).newcomer = Some(worker);
        self.newcomers.insert(slot);
    }

    /// A worker is ready: it will be trusted if it stays ready for a while.
    pub(super) fn prove(&mut self, id: WorkerId) {
        if self.policy.min_ready.is_zero() {
            self.trust(id);
        } else {
            self.timers.arm(Timer::Trusted(id), self.now().after(self.policy.min_ready));
        }
    }

    pub(super) fn trust(&mut self, id: WorkerId) {
        let slot = self.workers[&id].slot;
        match self.role(id, slot) {
            Role::Newcomer => {
                self.ripe.insert(slot);
            }
            Role::Current => self.proved(slot),
            Role::None => {}
        }
    }

    /// Lets go of the workers whose time has come, as long as enough ready ones are left.
    pub(super) fn open_gate(&mut self) {
        while self.may_retire() {
            let Some((worker, why)) = self.surplus.pop_first() else { break };
            self.retire(worker, why);
        }
        for slot in self.ripe.clone() {
            let old = self.slot(slot).current().expect("a newcomer without an old one is promoted");
            if self.state(old) == Some(State::Starting) {
                self.take_over(slot);
                self.discard(old);
            } else if self.may_retire() {
                let why = self.reason_to_replace(slot);
                self.take_over(slot);
                self.closing(slot, old);
                self.retire(old, why);
            }
        }
    }

    fn reason_to_replace(&self, slot: SlotId) -> Retirement {
        let planned = self.slot(slot).replacement.as_ref().filter(|_| !self.is_step(slot));
        planned.map_or(Retirement::Reload, |replacement| replacement.reason)
    }

    fn take_over(&mut self, slot: SlotId) {
        self.slot_mut(slot).place = Place::Vacant;
        self.slot_mut(slot).failures.clear();
        self.promote(slot);
    }

    /// Makes the newcomer the slot's own worker; the place is free.
    pub(super) fn promote(&mut self, slot: SlotId) {
        let trusted = self.ripe.contains(&slot);
        let newcomer = self.slot(slot).newcomer.expect("the caller has seen a newcomer");
        self.dismiss_newcomer(slot);
        self.drop_replacement(slot);
        self.slot_mut(slot).place = Place::Taken(newcomer);
        self.adopt(slot, self.workers[&newcomer].generation);
        self.touch(slot);
        if trusted {
            self.proved(slot);
        }
        self.limit_lifetime(newcomer);
        self.replace_terminated(newcomer);
    }

    /// The slot no longer has a newcomer.
    pub(super) fn dismiss_newcomer(&mut self, slot: SlotId) {
        self.slot_mut(slot).newcomer = None;
        self.newcomers.remove(&slot);
        self.ripe.remove(&slot);
        self.touch(slot);
    }

    /// The newcomer of a planned replacement was gone before it took over: the old worker stays, and
    /// another newcomer is tried later.
    pub(super) fn replace_later(&mut self, slot: SlotId, end: End, newcomer: &Worker) {
        let Some(replacement) = &mut self.slots[slot.0 as usize].replacement else { return };
        if end == End::Late {
            replacement.failures.clear();
        }
        if end == End::Late || self.reload.is_some() {
            self.replace_now(slot);
            return;
        }
        if end == End::Shortage {
            let delay = replacement.failures.refused(&self.policy, &mut self.dice);
            self.timers.arm(Timer::Replace(slot), self.clock.now().after(delay));
            let reason = newcomer.cannot_begin.clone().unwrap_or_default();
            self.emit(Event::StartRefused { slot, reason, delay });
            return;
        }
        let delay = replacement.failures.failed_attempt(&self.policy, &mut self.dice);
        let failures = replacement.failures.count();
        self.timers.arm(Timer::Replace(slot), self.clock.now().after(delay));
        self.emit(Event::BackingOff { slot, failures, delay });
    }

    /// The worker that was to be replaced is gone, and its limit with it.
    pub(super) fn drop_replacement(&mut self, slot: SlotId) {
        self.slot_mut(slot).replacement = None;
        self.replacing.remove(&slot);
        self.timers.disarm(Timer::Replace(slot));
    }
}
