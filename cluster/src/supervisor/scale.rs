//! The number of workers: scaling between the limits, and slots that are tried again.
//!
//! A request is answered at once; the number in force follows. It goes up at once. It goes down by
//! one for each worker that may leave, so that not all of them drain at the same time.

use super::slot::{Place, Slot};
use super::worker::State;
use super::{Event, Refusal, RequestId, Retirement, ScaleTo, SlotId, Supervisor, Timer};

impl Supervisor {
    pub(super) fn scale_wanted(&mut self, request: RequestId, to: ScaleTo) {
        let result = self.may_change().and_then(|()| self.within_limits(to));
        if let Ok(target) = result {
            self.target = target;
            self.announce_target();
        }
        self.reply(request, result);
    }

    fn within_limits(&self, to: ScaleTo) -> Result<usize, Refusal> {
        let (min, max) = (self.policy.min_workers, self.policy.max_workers);
        let wanted = match to {
            ScaleTo::Exactly(number) => number,
            ScaleTo::Up => self.target + 1,
            ScaleTo::Down => self.target.saturating_sub(1),
        };
        if self.target == 0 && to == ScaleTo::Down || wanted < min {
            return Err(Refusal(format!("fewer than {min} workers are not allowed (the minimum)")));
        }
        if wanted > max {
            return Err(Refusal(format!("more than {max} workers are not allowed (the maximum)")));
        }
        Ok(wanted)
    }

    pub(super) fn reset_wanted(&mut self, request: RequestId, slot: SlotId) {
        let result = self.may_change().and_then(|()| self.may_reset(slot));
        let granted = result.is_ok();
        self.reply(request, result.map(|()| self.target));
        if granted {
            self.refill(slot);
        }
    }

    fn may_reset(&self, slot: SlotId) -> Result<(), Refusal> {
        if !self.used.contains(&slot) {
            return Err(Refusal(format!("there is no slot {slot}")));
        }
        if self.slot(slot).place != Place::Errored {
            let tried = self.slot(slot).failures.is_limit_reached(&self.policy);
            let why = if tried { "is already being tried" } else { "is not errored" };
            return Err(Refusal(format!("slot {slot} {why}")));
        }
        Ok(())
    }

    pub(super) fn may_change(&self) -> Result<(), Refusal> {
        match self.stop {
            None => Ok(()),
            Some(_) => Err(Refusal("the cluster is stopping".to_owned())),
        }
    }

    /// Makes the number in force follow the number that was requested.
    pub(super) fn follow_target(&mut self) {
        self.announce_target();
        while self.desired() < self.target {
            self.add_slot();
        }
        if self.target < self.desired() && self.has_idle_slot() {
            self.give_up_idle();
        }
        while self.target < self.desired() && self.give_up_ready() {}
    }

    fn announce_target(&mut self) {
        let (from, to) = (self.announced, self.target);
        if from != to {
            self.announced = to;
            self.emit(Event::Scaled { from, to });
        }
    }

    fn add_slot(&mut self) {
        let slot = self.unused.pop_first().unwrap_or_else(|| {
            self.slots.push(Slot::new(self.version));
            SlotId(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 workers"))
        });
        self.programs.hold(self.version);
        let version = self.version;
        let state = self.slot_mut(slot);
        state.generation = version;
        state.place = Place::Vacant;
        self.used.insert(slot);
        self.fill(slot);
    }

    /// Returns whether a slot in use has no ready worker of its own.
    fn has_idle_slot(&self) -> bool {
        let newcomers = self.newcomers.iter().filter_map(|&slot| self.slot(slot).newcomer);
        let starting = newcomers.filter(|&id| self.state(id) == Some(State::Starting)).count();
        self.occupied() < self.desired() || starting < self.counts.starting
    }

    /// Slots that serve no client go first: those without a worker, then those that are not ready.
    fn give_up_idle(&mut self) {
        for starting_too in [false, true] {
            for slot in self.used.clone().into_iter().rev() {
                if self.target >= self.desired() {
                    return;
                }
                let state = self.slot(slot).current().and_then(|id| self.state(id));
                let serves = state == Some(State::Ready);
                if !serves && (starting_too || state != Some(State::Starting)) {
                    self.give_up_with_worker(slot);
                }
            }
        }
    }

    fn give_up_with_worker(&mut self, slot: SlotId) {
        let worker = self.slot(slot).current();
        self.give_up(slot);
        if let Some(worker) = worker.filter(|&id| self.state(id) == Some(State::Starting)) {
            self.discard(worker);
        }
    }

    /// The ready worker of the highest slot leaves, if it may. Idle ones are already gone.
    fn give_up_ready(&mut self) -> bool {
        let desired = self.desired() - 1;
        if self.counts.ready <= desired || !self.may_drain(desired) {
            return false;
        }
        let mut from_the_top = self.used.iter().rev().filter_map(|&slot| {
            self.slot(slot)
                .current()
                .filter(|&id| self.state(id) == Some(State::Ready))
                .map(|id| (slot, id))
        });
        let Some((slot, worker)) = from_the_top.next() else { return false };
        self.give_up(slot);
        self.retire(worker, Retirement::ScaleDown);
        true
    }

    /// The slot is no longer in use, and one fewer worker is desired. Its own worker is the caller's
    /// concern.
    pub(super) fn give_up(&mut self, slot: SlotId) {
        self.timers.disarm(Timer::Restart(slot));
        self.drop_replacement(slot);
        if let Some(newcomer) = self.slot(slot).newcomer {
            self.dismiss_newcomer(slot);
            if self.state(newcomer) == Some(State::Starting) {
                self.discard(newcomer);
            } else {
                self.surplus.insert(newcomer, Retirement::ScaleDown);
            }
        }
        self.leave_reload(slot);
        self.end_probation(slot);
        self.used.remove(&slot);
        self.unused.insert(slot);
        let state = self.slot_mut(slot);
        state.place = Place::Unused;
        state.failures.clear();
        let generation = state.generation;
        self.release(generation);
    }
}
