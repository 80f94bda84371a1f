//! Events: the facts about workers that are reported.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Generation, Refusal, SlotId, WorkerId};

/// A fact about a worker or the cluster. Each worker's facts come in a legal order: `Spawned`,
/// `Ready`, `Draining`, `Exited`; any of them may be followed by `Exited` directly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A process is about to start.
    Spawned {
        /// The worker.
        worker: WorkerId,
        /// Its slot.
        slot: SlotId,
        /// Its version.
        generation: Generation,
    },
    /// It accepts connections.
    Ready(WorkerId),
    /// It is leaving, for this reason.
    Draining(WorkerId, Retirement),
    /// It accepts no more connections.
    Disconnected(WorkerId),
    /// It hangs or has broken the protocol, and is being killed.
    Unhealthy(WorkerId, String),
    /// It is gone.
    Exited {
        /// The worker.
        worker: WorkerId,
        /// The way in which it ended.
        exit: Exit,
        /// True if the exit was known in advance: the primary had asked for it, or the worker had
        /// announced it.
        voluntary: bool,
        /// Time since it was spawned.
        uptime: Duration,
    },
    /// A slot is tried again after a delay, because its workers die early.
    BackingOff {
        /// The slot.
        slot: SlotId,
        /// Early deaths in a row.
        failures: u32,
        /// The delay that was drawn.
        delay: Duration,
    },
    /// The kernel had no room for a slot's process; the slot is tried again after a delay. This is
    /// not a failure of the program, and does not count as one.
    StartRefused {
        /// The slot.
        slot: SlotId,
        /// The reason that the kernel gave.
        reason: String,
        /// The delay that was drawn.
        delay: Duration,
    },
    /// A slot has reached the limit of early deaths in a row. Attempts continue at the maximum
    /// delay; a reload or a reset tries the slot at once.
    Errored {
        /// The slot.
        slot: SlotId,
        /// Early deaths in a row.
        failures: u32,
        /// The maximum delay: until the next attempt.
        delay: Duration,
    },
    /// No worker has been ready for a while, and none will be soon: connections are refused until
    /// one is.
    Suspended,
    /// A rolling reload has begun.
    ReloadStarted(Generation),
    /// All slots run the new version.
    ReloadFinished(Generation),
    /// The reload stopped before reaching that point. A slot that already runs the new version keeps
    /// it, unless its worker dies before the minimum up-time.
    ReloadFailed(Generation, Refusal),
    /// A different number of workers is wanted from now on.
    Scaled {
        /// The number before.
        from: usize,
        /// The number now.
        to: usize,
    },
    /// A stop has begun.
    Stopping,
}

/// The reason why a worker is leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retirement {
    /// A newer version took its place.
    Reload,
    /// The reload that brought it failed before it took over.
    ReloadFailed,
    /// Fewer workers are wanted.
    ScaleDown,
    /// It uses more memory than it may.
    MemoryLimit,
    /// It has answered as many requests as it may.
    MaxRequests,
    /// It has lived as long as it may.
    MaxLifetime,
    /// It got SIGTERM from outside.
    Terminated,
    /// It announced that it is leaving.
    OwnWish,
    /// The cluster is stopping.
    Stop,
}

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It called `exit` with this code.
    Code(i32),
    /// A signal with this number killed it.
    Signal(i32),
    /// It was never started.
    NeverStarted,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(number) => match nix::sys::signal::Signal::try_from(*number) {
                Ok(signal) => write!(f, "was killed by {signal}"),
                Err(_) => write!(f, "was killed by signal {number}"),
            },
            Self::NeverStarted => f.write_str("could not be started"),
        }
    }
}
