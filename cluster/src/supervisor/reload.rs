//! Rolling reload: a new version takes over slot by slot, and stops at the first failure.
//!
//! While a reload runs, every spawned worker runs the new version. Slots without a worker (backing
//! off, errored) get it at once; they have nothing to lose, and prove the version before a healthy
//! worker is touched. The others follow, [`surge`](super::Policy::surge) at a time: a newcomer starts
//! alongside the old worker, becomes ready, stays ready for `min_ready`, and only then is the old one
//! ordered to drain. The step ends when the old one accepts no more connections, not when it exits.
//!
//! If a worker of the new version dies before everything is done, even one whose step was already
//! over, the reload has failed. Ready workers stay; every other slot goes back to its old version at
//! once. A slot whose ready worker stays is on probation: if that worker dies before the minimum
//! up-time, its slot goes back as well.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::slot::Place;
use super::worker::{State, Worker};
use super::{
    Action, Event, Generation, Refusal, RequestId, Retirement, SlotId, Supervisor, WorkerId,
};

/// A reload under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reload {
    request: RequestId,
    pub(super) generation: Generation,
    /// Slots whose turn has not come yet: they still have an old worker.
    pending: BTreeSet<SlotId>,
    /// Slots whose turn it is.
    steps: BTreeMap<SlotId, Step>,
    /// The old version of each slot that has switched to the new one.
    fallback: BTreeMap<SlotId, Generation>,
}

/// The progress of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// The new worker must become ready, and stay ready for a while.
    Proving,
    /// The old worker must stop accepting.
    Closing(WorkerId),
}

impl Reload {
    fn new(request: RequestId, generation: Generation) -> Self {
        let (pending, steps, fallback) = Default::default();
        Self { request, generation, pending, steps, fallback }
    }
}

impl Supervisor {
    pub(super) fn reload_wanted(&mut self, request: RequestId, generation: Generation) {
        if let Err(refusal) = self.may_reload() {
            self.act(Action::Forget(generation));
            self.reply(request, Err(refusal));
            return;
        }
        self.programs.hold(generation);
        self.reload = Some(Reload::new(request, generation));
        self.emit(Event::ReloadStarted(generation));
        for slot in self.used.clone() {
            if self.slot(slot).is_empty() {
                self.refill(slot);
            } else {
                self.touch(slot);
            }
        }
    }

    fn may_reload(&self) -> Result<(), Refusal> {
        self.may_change()?;
        match &self.reload {
            None => Ok(()),
            Some(reload) => Err(Refusal(format!(
                "a reload is under way (generation {}); wait for it to end",
                reload.generation
            ))),
        }
    }

    /// The version for a slot that is about to be filled.
    pub(super) fn version_due(&mut self, slot: SlotId) -> Generation {
        if let Some(reload) = &mut self.reload {
            let generation = reload.generation;
            reload.steps.insert(slot, Step::Proving);
            self.adopt(slot, generation);
        }
        self.slot(slot).generation
    }

    /// From now on a restart of this slot brings back this version.
    pub(super) fn adopt(&mut self, slot: SlotId, generation: Generation) {
        let old = std::mem::replace(&mut self.slot_mut(slot).generation, generation);
        if old == generation {
            return;
        }
        self.programs.hold(generation);
        // A version on probation is not one to fall back to.
        let proven = match self.slot_mut(slot).fallback.take() {
            Some(proven) => {
                self.release(old);
                proven
            }
            None => old,
        };
        match &mut self.reload {
            Some(reload) if reload.generation == generation => {
                reload.fallback.insert(slot, proven);
            }
            _ => self.release(proven),
        }
    }

    /// A slot has changed: decides whether it waits for its turn.
    pub(super) fn touch(&mut self, slot: SlotId) {
        let Some(generation) = self.reload.as_ref().map(|reload| reload.generation) else { return };
        let state = self.slot(slot);
        let waits = state.newcomer.is_none()
            && state.current().and_then(|id| self.workers.get(&id)).is_some_and(|worker| {
                worker.generation != generation
                    && matches!(worker.state, State::Starting | State::Ready)
            });
        let Some(reload) = &mut self.reload else { return };
        if waits {
            reload.pending.insert(slot);
        } else {
            reload.pending.remove(&slot);
        }
    }

    /// A worker in this slot has been ready for long enough.
    pub(super) fn proved(&mut self, slot: SlotId) {
        let worker = self.slot(slot).current().map(|id| &self.workers[&id]);
        let is_new = worker.is_some_and(|worker| self.is_of_the_reload(worker));
        if let Some(reload) = self.reload.as_mut().filter(|_| is_new) {
            reload.steps.remove(&slot);
        }
    }

    /// The old worker of this slot has just been ordered to leave.
    pub(super) fn closing(&mut self, slot: SlotId, old: WorkerId) {
        if let Some(reload) = &mut self.reload
            && self.slots[slot.0 as usize].generation == reload.generation
        {
            reload.steps.insert(slot, Step::Closing(old));
        }
    }

    /// A worker accepts no more connections, or is gone.
    pub(super) fn closed(&mut self, id: WorkerId, worker: &Worker) {
        if let Some(reload) = &mut self.reload
            && reload.steps.get(&worker.slot) == Some(&Step::Closing(id))
        {
            reload.steps.remove(&worker.slot);
        }
    }

    /// The slot is no longer in use.
    pub(super) fn leave_reload(&mut self, slot: SlotId) {
        let Some(reload) = &mut self.reload else { return };
        reload.pending.remove(&slot);
        reload.steps.remove(&slot);
        if let Some(generation) = reload.fallback.remove(&slot) {
            self.release(generation);
        }
    }

    pub(super) fn go_on_reloading(&mut self) {
        while self.has_surge() {
            let surge = self.policy.surge.max(1);
            let Some(reload) = &mut self.reload else { return };
            if reload.steps.len() >= surge {
                return;
            }
            let Some(slot) = reload.pending.pop_first() else { break };
            let generation = reload.generation;
            reload.steps.insert(slot, Step::Proving);
            self.invite(slot, generation);
        }
        if self.is_reload_done() {
            self.finish_reload();
        }
    }

    /// No slot waits for its turn, no turn is under way, and no slot is without a worker of its own
    /// or in the middle of a planned replacement.
    fn is_reload_done(&self) -> bool {
        let done = |reload: &Reload| reload.pending.is_empty() && reload.steps.is_empty();
        self.reload.as_ref().is_some_and(done)
            && self.occupied() == self.desired()
            && self.newcomers.is_empty()
    }

    fn finish_reload(&mut self) {
        let reload = self.reload.take().expect("only a running reload can finish");
        self.emit(Event::ReloadFinished(reload.generation));
        self.reply(reload.request, Ok(self.target));
        for generation in reload.fallback.into_values() {
            self.release(generation);
        }
        // The reload's own hold passes to the version of future slots.
        let old = std::mem::replace(&mut self.version, reload.generation);
        self.release(old);
    }

    /// Returns whether this worker was started by the reload under way.
    pub(super) fn is_of_the_reload(&self, worker: &Worker) -> bool {
        self.reload.as_ref().is_some_and(|reload| reload.generation == worker.generation)
    }

    /// Returns whether the newcomer of this slot was started by the reload under way.
    pub(super) fn is_step(&self, slot: SlotId) -> bool {
        let newcomer = self.slot(slot).newcomer.and_then(|id| self.workers.get(&id));
        newcomer.is_some_and(|worker| self.is_of_the_reload(worker))
    }

    /// A worker has left its place. If that proves the new version broken, the reload ends.
    pub(super) fn fails_reload(&mut self, id: WorkerId, worker: &Worker, how: &str) -> bool {
        let Some(reload) = self.reload.as_ref().filter(|_| self.is_of_the_reload(worker)) else {
            return false;
        };
        // For a worker that has proved itself, leaving unasked is not a failure.
        let left = matches!(worker.state, State::Draining { .. });
        let proved = !reload.steps.contains_key(&worker.slot);
        if left && proved && !worker.is_early(self.now(), &self.policy) {
            return false;
        }
        let slot = worker.slot;
        self.fail_reload(&format!("worker {id} (slot {slot}) of the new version {how}"));
        true
    }

    /// Ready workers stay; the other slots go back to the old version.
    fn fail_reload(&mut self, what: &str) {
        let reload = self.reload.take().expect("only a running reload can fail");
        self.dismiss_newcomers_of(reload.generation);
        let vacated = self.fall_back(&reload);
        let new = self.used.iter().filter(|&&slot| self.runs(slot, reload.generation)).count();
        let reason = format!("{what}; {new} of {} slots run the new version", self.desired());
        self.end_reload(&reload, reason);
        for slot in vacated {
            self.refill(slot);
        }
        self.release(reload.generation);
    }

    /// Reports, also to the requester, that the reload has ended without success.
    fn end_reload(&mut self, reload: &Reload, reason: String) {
        self.emit(Event::ReloadFailed(reload.generation, Refusal(reason.clone())));
        self.reply(reload.request, Err(Refusal(reason)));
    }

    /// A stop takes precedence over a reload. No slot falls back: nothing is started any more.
    pub(super) fn abandon_reload(&mut self) {
        if let Some(reload) = self.reload.take() {
            self.end_reload(&reload, "the cluster is stopping".to_owned());
            for generation in reload.fallback.into_values() {
                self.release(generation);
            }
            self.release(reload.generation);
        }
    }

    fn dismiss_newcomers_of(&mut self, generation: Generation) {
        for slot in self.newcomers.clone() {
            let newcomer = self.slot(slot).newcomer.expect("the set holds slots with a newcomer");
            if self.workers[&newcomer].generation != generation {
                continue;
            }
            self.dismiss_newcomer(slot);
            if self.state(newcomer) == Some(State::Starting) {
                self.discard(newcomer);
            } else {
                self.surplus.insert(newcomer, Retirement::ReloadFailed);
            }
        }
    }

    /// Returns slots whose new worker is not ready to the old version; they are then vacant.
    fn fall_back(&mut self, reload: &Reload) -> Vec<SlotId> {
        let mut vacated = Vec::new();
        for (&slot, &old) in &reload.fallback {
            if self.runs(slot, reload.generation) {
                self.begin_probation(slot, old);
                continue;
            }
            if let Some(worker) = self.slot(slot).current() {
                self.slot_mut(slot).place = Place::Vacant;
                self.discard(worker);
            }
            self.slot_mut(slot).generation = old;
            self.release(reload.generation);
            vacated.push(slot);
        }
        vacated
    }

    /// Returns whether the slot's own worker is ready and runs this version.
    fn runs(&self, slot: SlotId, generation: Generation) -> bool {
        let worker = self.slot(slot).current().and_then(|id| self.workers.get(&id));
        worker.is_some_and(|w| w.generation == generation && w.state == State::Ready)
    }
}
