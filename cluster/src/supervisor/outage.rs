//! An outage: no worker accepts connections.
//!
//! Clients that wait in the kernel's queue for a restart of milliseconds do not notice it. Clients
//! that would have to wait for a minute are better off if they are refused: they, or the load
//! balancer in front of them, can go elsewhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, Event, Supervisor, Time, Timer};

/// Clients queue for this long at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// An outage under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Outage {
    since: Time,
    /// Connections are already being refused.
    suspended: bool,
}

impl Supervisor {
    /// Suspends connections as soon as it is clear that no worker will be ready in time.
    pub(super) fn watch_outage(&mut self) {
        if self.counts.ready + self.counts.accepting > 0 {
            self.outage = None;
            self.timers.disarm(Timer::OutageAt);
            return;
        }
        let now = self.now();
        let outage = self.outage.get_or_insert(Outage { since: now, suspended: false });
        if outage.suspended {
            return;
        }
        let end = outage.since.after(PATIENCE);
        if now < end && self.is_filled_by(end) {
            self.timers.arm(Timer::OutageAt, end);
            return;
        }
        self.timers.disarm(Timer::OutageAt);
        self.outage = self.outage.take().map(|outage| Outage { suspended: true, ..outage });
        self.act(Action::SuspendConnections);
        self.emit(Event::Suspended);
    }

    /// Returns whether a worker is already starting, or will start by then.
    fn is_filled_by(&self, end: Time) -> bool {
        let due = |&slot: &_| self.timers.due(Timer::Restart(slot)).is_some_and(|at| at <= end);
        // A worker that is being killed makes room for its successor, which starts soon.
        self.counts.starting + self.counts.dying > 0 || self.used.iter().any(due)
    }
}
