//! One place for a worker.

use serde::{Deserialize, Serialize};

use super::restart::Failures;
use super::{Generation, Policy, Retirement, WorkerId};

/// A place for a worker. It outlives its workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) place: Place,
    /// The version that a restart after a crash brings back.
    pub(super) generation: Generation,
    /// The version before it, if the reload that brought the present version has failed. The slot goes
    /// back to it unless the present version lives for the minimum up-time.
    pub(super) fallback: Option<Generation>,
    /// A second worker that will take the place of the first: during a reload, or at a limit.
    pub(super) newcomer: Option<WorkerId>,
    /// Early deaths in a row.
    pub(super) failures: Failures,
    /// The planned replacement of its worker, if there is one.
    pub(super) replacement: Option<Replacement>,
    /// The number of workers that have ever been started for it.
    pub(super) spawned: u64,
}

/// The worker in a slot, or the reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// No worker: fewer workers are wanted than there are slots.
    Unused,
    /// No worker. This lasts only until the end of the step, or for good during a stop.
    Vacant,
    /// No worker, until a delay is over.
    BackingOff,
    /// No worker, until the maximum delay is over: the limit of early deaths is reached.
    Errored,
    /// This worker: starting, ready, or dying. In the last case its successor waits for its exit.
    Taken(WorkerId),
}

/// A planned replacement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Replacement {
    pub(super) reason: Retirement,
    /// Newcomers that died before they could take over.
    pub(super) failures: Failures,
}

impl Slot {
    pub(super) fn new(generation: Generation) -> Self {
        Self {
            place: Place::Vacant,
            generation,
            fallback: None,
            newcomer: None,
            failures: Failures::default(),
            replacement: None,
            spawned: 0,
        }
    }

    pub(super) fn current(&self) -> Option<WorkerId> {
        match self.place {
            Place::Taken(worker) => Some(worker),
            _ => None,
        }
    }

    /// The place of a slot without a worker, until the next attempt.
    pub(super) fn waiting(&self, policy: &Policy) -> Place {
        if self.failures.is_limit_reached(policy) { Place::Errored } else { Place::BackingOff }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current().is_none()
    }
}
