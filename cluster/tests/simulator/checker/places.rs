//! The owner of each slot, as far as it can be seen from outside.

use std::collections::BTreeMap;

use cluster::supervisor::{Action, Event, Generation, Retirement, SlotId, WorkerId};

use super::{Books, Phase};

/// The place of each worker.
#[derive(Default)]
pub struct Places {
    slots: BTreeMap<SlotId, Place>,
}

#[derive(Default)]
struct Place {
    owner: Option<WorkerId>,
    newcomer: Option<WorkerId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner { has_newcomer: bool },
    Newcomer,
    Neither,
}

impl Places {
    pub fn is_held(&self, slot: SlotId) -> bool {
        self.slots.get(&slot).is_some_and(|place| place.owner.is_some())
    }

    pub fn role(&self, worker: WorkerId, slot: SlotId) -> Role {
        match self.slots.get(&slot) {
            Some(place) if place.owner == Some(worker) => {
                Role::Owner { has_newcomer: place.newcomer.is_some() }
            }
            Some(place) if place.newcomer == Some(worker) => Role::Newcomer,
            _ => Role::Neither,
        }
    }

    pub fn observe(&mut self, action: &Action, books: &Books) {
        match *action {
            Action::Spawn { worker, slot, .. } => self.spawned(worker, slot),
            Action::Signal { worker, .. } => self.signalled(worker, books),
            Action::Emit(Event::Draining(worker, Retirement::ScaleDown)) => {
                self.given_up(worker, books);
            }
            Action::Emit(
                Event::Draining(worker, _)
                | Event::Unhealthy(worker, _)
                | Event::Exited { worker, .. },
            ) => self.leaves(worker, books),
            Action::Emit(Event::ReloadFailed(generation, _)) => self.dismiss(generation, books),
            _ => {}
        }
    }

    fn spawned(&mut self, worker: WorkerId, slot: SlotId) {
        let place = self.slots.entry(slot).or_default();
        if place.owner.is_none() {
            place.owner = Some(worker);
        } else {
            place.newcomer = Some(worker);
        }
    }

    /// An owner that is starting is killed when its slot is given up, or when its newcomer was
    /// faster. The number of slots shows which of the two it is.
    fn signalled(&mut self, worker: WorkerId, books: &Books) {
        let owners = self.slots.values().filter(|place| place.owner.is_some()).count();
        let slot = books.life(worker).slot;
        if owners > books.target && matches!(self.role(worker, slot), Role::Owner { .. }) {
            self.slots.remove(&slot);
        } else {
            self.leaves(worker, books);
        }
    }

    /// The slot is given up with its owner, and a newcomer that is ready goes too. A newcomer that
    /// is still starting came later: the slot is already in use again.
    fn given_up(&mut self, worker: WorkerId, books: &Books) {
        let slot = books.life(worker).slot;
        if let Role::Owner { .. } = self.role(worker, slot) {
            let place = self.slots.entry(slot).or_default();
            let starts = |id: &WorkerId| books.is(*id, Phase::Starting);
            place.owner = place.newcomer.take().filter(starts);
        }
    }

    fn leaves(&mut self, worker: WorkerId, books: &Books) {
        let slot = books.life(worker).slot;
        let Some(place) = self.slots.get_mut(&slot) else { return };
        if place.owner == Some(worker) {
            place.owner = place.newcomer.take();
        } else if place.newcomer == Some(worker) {
            place.newcomer = None;
        }
    }

    /// Newcomers of a version that has failed take no worker's place.
    fn dismiss(&mut self, failed: Generation, books: &Books) {
        for place in self.slots.values_mut() {
            let of_it = |id: &WorkerId| books.life(*id).generation == failed;
            if place.newcomer.as_ref().is_some_and(of_it) {
                place.newcomer = None;
            }
        }
    }
}
