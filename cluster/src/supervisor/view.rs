//! Views: the part of the state that others may see.

use std::time::Duration;

use super::slot::Place;
use super::{Generation, Policy, SlotId, Supervisor, Time, Timer, WorkerId, WorkerState};

/// One process.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerView {
    /// Its id.
    pub id: WorkerId,
    /// The slot for which it was started.
    pub slot: SlotId,
    /// The version that it runs.
    pub generation: Generation,
    /// Its state.
    pub state: WorkerState,
    /// Time since it was spawned. Time in which the primary was not running is not counted.
    pub uptime: Duration,
    /// True if it is ready and no report from it is overdue.
    pub healthy: bool,
}

/// One slot in use.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotView {
    /// Its id.
    pub id: SlotId,
    /// The version that a restart brings back.
    pub generation: Generation,
    /// The worker in it, or the reason why there is none.
    pub state: SlotState,
    /// Early deaths in a row.
    pub failures: u32,
    /// True if these have reached their limit, and no worker has lived for the minimum up-time since.
    pub errored: bool,
    /// The number of workers that it has had before the latest one.
    pub restarts: u64,
}

/// The worker in a slot, or the reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// This worker. While it is being replaced, its newcomer is not shown here.
    Worker(WorkerId),
    /// No worker; the slot is filled again at this moment of the driver's clock.
    BackingOff(Time),
    /// No worker: the limit of early deaths is reached. The slot is tried again at this moment.
    Errored(Time),
    /// No worker, and the cluster is stopping.
    Empty,
}

impl Supervisor {
    /// The number of workers requested.
    #[must_use]
    pub fn target(&self) -> usize {
        self.target
    }

    /// The number of workers desired now. When scaling down, it follows the target step by step.
    #[must_use]
    pub fn desired(&self) -> usize {
        self.used.len()
    }

    /// The number of workers that are starting.
    #[must_use]
    pub fn starting(&self) -> usize {
        self.counts.starting
    }

    /// The number of workers that are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.counts.ready
    }

    /// The number of workers that are draining.
    #[must_use]
    pub fn draining(&self) -> usize {
        self.counts.draining()
    }

    /// The number of workers that are being killed.
    #[must_use]
    pub fn dying(&self) -> usize {
        self.counts.dying
    }

    /// The version that a reload is bringing, if one is under way.
    #[must_use]
    pub fn reloading(&self) -> Option<Generation> {
        self.reload.as_ref().map(|reload| reload.generation)
    }

    /// The version that the last finished reload brought.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.version
    }

    /// Returns whether a stop has begun.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// The settings in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// All processes, by id. `now` is the driver's clock.
    pub fn workers(&self, now: Time) -> impl Iterator<Item = WorkerView> + '_ {
        let now = self.clock.own_at(now);
        self.workers.iter().map(move |(&id, worker)| {
            let overdue = worker.heartbeat.is_some_and(|period| {
                now.since(worker.last_report.max(self.resumed)) > period.saturating_mul(2)
            });
            WorkerView {
                id,
                slot: worker.slot,
                generation: worker.generation,
                state: worker.state,
                uptime: worker.uptime(now),
                healthy: worker.state == WorkerState::Ready && !overdue,
            }
        })
    }

    /// All slots in use, by id.
    pub fn slots(&self) -> impl Iterator<Item = SlotView> + '_ {
        self.used.iter().map(|&id| {
            let slot = self.slot(id);
            SlotView {
                id,
                generation: slot.generation,
                state: self.slot_state(id),
                failures: slot.failures.count(),
                errored: slot.failures.is_limit_reached(&self.policy),
                restarts: slot.spawned.saturating_sub(1),
            }
        })
    }

    fn slot_state(&self, id: SlotId) -> SlotState {
        match self.slot(id).place {
            Place::Taken(worker) => SlotState::Worker(worker),
            Place::Vacant | Place::Unused => SlotState::Empty,
            waits @ (Place::BackingOff | Place::Errored) => {
                let due = self.timers.due(Timer::Restart(id));
                let due = due.map(|at| self.clock.on_the_drivers(at));
                match due {
                    None => SlotState::Empty, // during a stop
                    Some(at) if waits == Place::Errored => SlotState::Errored(at),
                    Some(at) => SlotState::BackingOff(at),
                }
            }
        }
    }
}
