//! Lending: a worker accepts from the socket of a slot that has no worker.
//!
//! With `SO_REUSEPORT` the kernel gives each slot's socket its share of connections, even while the
//! slot has no worker: the slot backs off, is errored, or its new worker is still starting. So such a
//! socket is lent to a living worker, and taken back when a worker of its own slot accepts.
//!
//! This is only the plan: no descriptors, no I/O. The primary carries it out.

use std::collections::{BTreeMap, BTreeSet};

use crate::supervisor::{SlotId, WorkerId};

/// A message from the primary to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loan {
    /// Accept from the sockets of this slot, too: they come with the message.
    Lend {
        /// The slot of the sockets.
        slot: SlotId,
        /// The worker that accepts from them now.
        to: WorkerId,
    },
    /// Stop accepting from them, and close your copies: another worker is already accepting from
    /// them.
    TakeBack {
        /// The slot of the sockets.
        slot: SlotId,
        /// The worker that has them.
        from: WorkerId,
    },
}

/// The plan: the worker that accepts from each slot's sockets.
#[derive(Debug, Default)]
pub struct Lending {
    /// Slots whose sockets are bound. They stay bound as long as the primary lives.
    slots: BTreeSet<SlotId>,
    /// Workers that accept, each with its own slot. During a reload, a slot may have two.
    workers: BTreeMap<WorkerId, SlotId>,
    /// Slots without a worker of their own, each with the worker that stands in.
    loans: BTreeMap<SlotId, WorkerId>,
}

impl Lending {
    /// A plan for slots whose sockets are bound, without any workers yet.
    pub fn new(slots: impl IntoIterator<Item = SlotId>) -> Self {
        Self { slots: slots.into_iter().collect(), ..Self::default() }
    }

    /// The sockets of a slot are bound, and get their share of connections from now on, although
    /// the slot's worker has not started yet.
    pub fn bound(&mut self, slot: SlotId) -> Vec<Loan> {
        self.slots.insert(slot);
        self.lend_orphans()
    }

    /// A worker accepts from its own slot's sockets. A slot that was unknown has been bound by now.
    pub fn ready(&mut self, worker: WorkerId, slot: SlotId) -> Vec<Loan> {
        self.slots.insert(slot);
        self.workers.insert(worker, slot);
        let back = self.loans.remove(&slot).map(|from| Loan::TakeBack { slot, from });
        back.into_iter().chain(self.lend_orphans()).collect()
    }

    /// A worker no longer accepts connections, from its own sockets or from lent ones: it is draining
    /// or gone.
    pub fn left(&mut self, worker: WorkerId) -> Vec<Loan> {
        self.workers.remove(&worker);
        self.loans.retain(|_, borrower| *borrower != worker);
        self.lend_orphans()
    }

    /// Lends each socket that no worker accepts from to the worker that has borrowed the fewest.
    fn lend_orphans(&mut self) -> Vec<Loan> {
        let staffed: BTreeSet<SlotId> = self.workers.values().copied().collect();
        let lent: BTreeSet<SlotId> = self.loans.keys().copied().collect();
        let orphans = self.slots.iter().filter(|slot| !staffed.contains(slot));
        let orphans: Vec<SlotId> = orphans.filter(|slot| !lent.contains(slot)).copied().collect();
        orphans.into_iter().filter_map(|slot| self.lend(slot)).collect()
    }

    fn lend(&mut self, slot: SlotId) -> Option<Loan> {
        let borrowed = |worker: &WorkerId| self.loans.values().filter(|it| *it == worker).count();
        let to = *self.workers.keys().min_by_key(|worker| borrowed(worker))?;
        self.loans.insert(slot, to);
        Some(Loan::Lend { slot, to })
    }
}
