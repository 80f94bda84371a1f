//! Inputs: events and requests, as the supervisor receives them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Exit, Generation, RequestId, SlotId, WorkerId};

/// An event, or a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// Only time has passed: the moment that
    /// [`next_wake`](super::Supervisor::next_wake) named has come.
    Tick,
    /// A process could not be started at all ([`Action::Spawn`](super::Action::Spawn) failed).
    SpawnFailed {
        /// The worker whose process it would have been.
        worker: WorkerId,
        /// The reason that the kernel gave.
        reason: String,
        /// The kernel has no room for another process. This says nothing about the program.
        shortage: bool,
    },
    /// A worker reports that it failed to start before running any of the program's own code; it
    /// exits.
    CannotBegin {
        /// The worker that exits.
        worker: WorkerId,
        /// The reason that the kernel gave.
        reason: String,
        /// The kernel has no room for another thread or descriptor.
        shortage: bool,
    },
    /// A worker must still serve these listeners before it is ready.
    WaitsFor(WorkerId, Vec<String>),
    /// A worker reports that it accepts connections.
    Ready(WorkerId),
    /// A worker is alive, and reports its vitals.
    Heartbeat(WorkerId, Vitals),
    /// The driver has measured a worker's memory, in bytes (resident set).
    Memory(WorkerId, u64),
    /// A worker reports that it has stopped accepting connections.
    StoppedAccepting(WorkerId),
    /// A worker reports, unasked, that it is going to exit: its exit is not a crash.
    Leaving(WorkerId),
    /// A worker got SIGTERM from outside: it must be replaced.
    Terminated(WorkerId),
    /// A worker broke the protocol (malformed frame, wrong version); the reason is meant for people.
    Broken(WorkerId, String),
    /// A process has ended and was reaped. Everything that it had sent has already been handed in.
    Exited(WorkerId, Exit),
    /// A request for a rolling reload. The program was opened as `generation`.
    Reload {
        /// The request to answer.
        request: RequestId,
        /// The new version's number, larger than all before.
        generation: Generation,
    },
    /// A request for a different number of workers.
    Scale {
        /// The request to answer.
        request: RequestId,
        /// The number wanted.
        to: ScaleTo,
    },
    /// A request to retry a slot that is [`Errored`](super::Event::Errored).
    Reset {
        /// The request to answer.
        request: RequestId,
        /// The slot.
        slot: SlotId,
    },
    /// Stop gracefully. A stop that is under way continues as it is.
    Stop,
    /// Stop at once.
    StopNow,
}

/// The number of workers wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScaleTo {
    /// This number; it is refused below the minimum and above the maximum.
    Exactly(usize),
    /// One more (SIGTTIN); refused at the maximum.
    Up,
    /// One fewer (SIGTTOU); refused at the minimum.
    Down,
}

/// The numbers that a worker reports with each heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// Requests answered since it started.
    pub requests: u64,
    /// Connections that are open now.
    pub connections: u64,
}

/// The reason why a request was refused, or a reload failed. It is a sentence for the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
