//! Timers. Arming, disarming and taking the next one cost O(log n).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{SlotId, Time, WorkerId};

/// An event that is due at some time. There is at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Timer {
    /// A worker must be ready by now.
    ReadyBy(WorkerId),
    /// A newcomer has been ready for long enough to be trusted.
    Trusted(WorkerId),
    /// A worker should have reported by now. A heartbeat does not re-arm the timer; when the timer is
    /// due, the supervisor checks whether a heartbeat has arrived, so that each one costs next to
    /// nothing.
    HeardBy(WorkerId),
    /// A worker has lived as long as it may.
    Lifetime(WorkerId),
    /// A draining worker should be gone.
    DrainedBy(WorkerId),
    /// During a stop: workers that are still running get SIGKILL. It comes before `KillAt`, and makes
    /// it unnecessary.
    KillAllAt,
    /// A worker that was ordered to leave at once has not left.
    KillAt(WorkerId),
    /// A worker has lived long enough for the early deaths before it to be forgotten.
    Stable(WorkerId),
    /// A slot's back-off is over.
    Restart(SlotId),
    /// A planned replacement that failed, or came too soon, may be tried.
    Replace(SlotId),
    /// During a stop: connections are refused from now on.
    RefuseAt,
    /// During a stop: workers that are still running are cut.
    CutAllAt,
    /// Clients have waited for a ready worker for long enough.
    OutageAt,
}

impl Timer {
    /// All timers of one worker.
    pub(super) fn of(worker: WorkerId) -> [Self; 7] {
        [
            Self::ReadyBy(worker),
            Self::Trusted(worker),
            Self::HeardBy(worker),
            Self::Lifetime(worker),
            Self::DrainedBy(worker),
            Self::KillAt(worker),
            Self::Stable(worker),
        ]
    }
}

/// All timers that are armed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeSet<(Time, Timer)>", into = "BTreeSet<(Time, Timer)>")]
pub(super) struct Timers {
    queue: BTreeSet<(Time, Timer)>,
    /// The same, by timer.
    armed: BTreeMap<Timer, Time>,
}

impl Timers {
    /// Sets a timer, or moves it if it is already set.
    pub(super) fn arm(&mut self, timer: Timer, at: Time) {
        self.disarm(timer);
        self.queue.insert((at, timer));
        self.armed.insert(timer, at);
    }

    /// Forgets a timer, if it is set.
    pub(super) fn disarm(&mut self, timer: Timer) {
        if let Some(at) = self.armed.remove(&timer) {
            self.queue.remove(&(at, timer));
        }
    }

    /// The time at which a timer is due, if it is set.
    pub(super) fn due(&self, timer: Timer) -> Option<Time> {
        self.armed.get(&timer).copied()
    }

    /// The time at which the next one is due.
    pub(super) fn next(&self) -> Option<Time> {
        self.queue.first().map(|&(at, _)| at)
    }

    /// Takes the next one, if it is due.
    pub(super) fn pop(&mut self, now: Time) -> Option<Timer> {
        let (_, timer) = self.queue.first().copied().filter(|&(at, _)| at <= now)?;
        self.disarm(timer);
        Some(timer)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl From<BTreeSet<(Time, Timer)>> for Timers {
    fn from(queue: BTreeSet<(Time, Timer)>) -> Self {
        let armed = queue.iter().map(|&(at, timer)| (timer, at)).collect();
        Self { queue, armed }
    }
}

impl From<Timers> for BTreeSet<(Time, Timer)> {
    fn from(timers: Timers) -> Self {
        timers.queue
    }
}
