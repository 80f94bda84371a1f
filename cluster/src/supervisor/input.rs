//! What happens in the world, as the supervisor hears of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Exit, Generation, RequestId, SlotId, WorkerId};

/// Something that happened, or somebody's wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// Nothing but the passing of time: the moment that
    /// [`next_wake`](super::Supervisor::next_wake) named has come.
    Tick,
    /// A process could not be started at all ([`Action::Spawn`](super::Action::Spawn) failed).
    SpawnFailed {
        /// Whose process it would have been.
        worker: WorkerId,
        /// What the kernel said.
        reason: String,
        /// The kernel has no room for another process. This says nothing about the program.
        shortage: bool,
    },
    /// A worker reports that it cannot begin, before any code of the program's has run; it exits.
    CannotBegin {
        /// The worker that exits.
        worker: WorkerId,
        /// What the kernel said.
        reason: String,
        /// The kernel has no room for another thread or descriptor.
        shortage: bool,
    },
    /// A worker has these listeners still to serve before it is ready.
    WaitsFor(WorkerId, Vec<String>),
    /// A worker says that it accepts connections.
    Ready(WorkerId),
    /// A worker is alive, and says how it is.
    Heartbeat(WorkerId, Vitals),
    /// The driver has looked at a worker's memory, in bytes (resident set).
    Memory(WorkerId, u64),
    /// A worker says that it has stopped accepting connections.
    StoppedAccepting(WorkerId),
    /// A worker says, unasked, that it is going to exit: what follows is no crash.
    Leaving(WorkerId),
    /// A worker got SIGTERM from outside: it is to be replaced.
    Terminated(WorkerId),
    /// A worker broke the protocol (malformed frame, wrong version); the reason is for people.
    Broken(WorkerId, String),
    /// A process has ended and was reaped. All that it had sent was handed in before this.
    Exited(WorkerId, Exit),
    /// Somebody wants a rolling reload. The program was opened as `generation`.
    Reload {
        /// To whom the answer goes.
        request: RequestId,
        /// The new version's number, larger than all before.
        generation: Generation,
    },
    /// Somebody wants another number of workers.
    Scale {
        /// To whom the answer goes.
        request: RequestId,
        /// How many.
        to: ScaleTo,
    },
    /// Somebody wants a slot that is [`Errored`](super::Event::Errored) to be tried again.
    Reset {
        /// To whom the answer goes.
        request: RequestId,
        /// Which one.
        slot: SlotId,
    },
    /// Stop gracefully. A stop that is under way goes on as it is.
    Stop,
    /// Stop at once.
    StopNow,
}

/// How many workers are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScaleTo {
    /// This many; outside the minimum and maximum it is refused.
    Exactly(usize),
    /// One more (SIGTTIN); refused at the maximum.
    Up,
    /// One less (SIGTTOU); refused at the minimum.
    Down,
}

/// What a worker tells of itself with each heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// Requests answered since it began.
    pub requests: u64,
    /// Connections open now.
    pub connections: u64,
}

/// Why a wish was not granted, or a reload failed. It reads as a sentence for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
