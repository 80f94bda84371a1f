//! What is to happen when. Arming, disarming and taking the next one cost O(log n).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{SlotId, Time, WorkerId};

/// Something that happens by the passing of time. There is at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Timer {
    /// A worker must be ready by now.
    ReadyBy(WorkerId),
    /// A newcomer has been ready for long enough to be trusted.
    Trusted(WorkerId),
    /// A worker should have been heard from by now. A heartbeat does not re-arm it; whoever finds
    /// it due looks whether one has come, so that a heartbeat costs next to nothing.
    HeardBy(WorkerId),
    /// A worker has lived as long as it may.
    Lifetime(WorkerId),
    /// A draining worker should be gone.
    DrainedBy(WorkerId),
    /// In a stop: who is still there gets SIGKILL. It comes before `KillAt`, which it makes needless.
    KillAllAt,
    /// A worker that was told to leave now has not left.
    KillAt(WorkerId),
    /// A worker has lived for so long that the early deaths before it are forgotten.
    Stable(WorkerId),
    /// A slot's back-off is over.
    Restart(SlotId),
    /// A planned replacement that failed, or came too soon, may be tried.
    Replace(SlotId),
    /// In a stop: connections are refused from now on.
    RefuseAt,
    /// In a stop: who is still there is cut.
    CutAllAt,
    /// Clients have waited for a ready worker for long enough.
    OutageAt,
}

impl Timer {
    /// All that concern one worker.
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
    /// Sets a timer, or moves it when it is set already.
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

    /// When a timer is due, if it is set.
    pub(super) fn due(&self, timer: Timer) -> Option<Time> {
        self.armed.get(&timer).copied()
    }

    /// When the next one is due.
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
