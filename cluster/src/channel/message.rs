//! The messages between a primary and a worker.

use std::os::fd::RawFd;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::metrics::Snapshot;
use crate::supervisor::{Generation, SlotId, Vitals, WorkerId};

/// A message from the primary to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// The first message: your identity and your settings.
    Hello(Box<Hello>),
    /// Accept connections: all listeners are listening. This answers `Ready`.
    Accept,
    /// Keep serving until you get `Drain`: a successor is on its way. This answers `Terminated`.
    ServeOn,
    /// Cut the remaining connections, and exit: the deadline has passed.
    Cut,
    /// Leave: stop accepting, finish your connections, exit.
    Drain {
        /// The time for which idle connections stay open for one more request. Zero: the cluster is
        /// stopping, and the connections in the listener's queue must be accepted first.
        window: Duration,
        /// The time after which you must be gone.
        deadline: Duration,
    },
    /// A message that the program defines.
    Tell(Box<RawValue>),
    /// A question that the program defines.
    Ask(u64, Box<RawValue>),
    /// The answer to a worker's question.
    Answer(u64, Answer),
}

/// A message from a worker to the primary.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToPrimary {
    /// I am running.
    Online,
    /// I cannot start, and will exit before any code of the program runs.
    CannotBegin {
        /// The reason.
        reason: String,
        /// The kernel has no room for a thread or a descriptor.
        shortage: bool,
    },
    /// I am not serving these listeners yet.
    WaitsFor(Vec<String>),
    /// I am ready to accept connections.
    Ready,
    /// I am alive, and this is my state.
    Heartbeat(Vitals, Option<Box<Snapshot>>),
    /// I no longer accept connections.
    StoppedAccepting,
    /// I got SIGTERM from outside: replace me.
    Terminated,
    /// I am going to exit of my own accord.
    Leaving,
    /// A message that the program defines.
    Tell(Box<RawValue>),
    /// The same, for all other workers.
    Relay(Box<RawValue>),
    /// A question that the program defines.
    Ask(u64, Box<RawValue>),
    /// The answer to the primary's question.
    Answer(u64, Answer),
}

/// An answer, or the reason why there is none.
pub type Answer = Result<Box<RawValue>, String>;

/// The identity of a worker, and its settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The worker's name.
    pub worker: WorkerId,
    /// The worker's slot.
    pub slot: SlotId,
    /// The version that the worker runs.
    pub generation: Generation,
    /// The number of workers that this slot has had before.
    pub restarts: u64,
    /// The settings, as the primary has read and checked them.
    pub config: Config,
    /// The addresses at which the listeners are actually listening, in the order of the settings.
    pub addresses: Vec<String>,
    /// The descriptor of the [manifest](crate::spawn::manifest) for the memory that all processes
    /// share, if there is any. A primary of an older version does not send it, and has none.
    #[serde(default)]
    pub shared: Option<RawFd>,
}
