//! What a primary and a worker say to each other.

use std::os::fd::RawFd;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::config::Config;
use crate::metrics::Snapshot;
use crate::supervisor::{Generation, SlotId, Vitals, WorkerId};

/// From the primary to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// The first message: who you are, and how to behave.
    Hello(Box<Hello>),
    /// Accept connections: all listeners listen. It answers `Ready`.
    Accept,
    /// Serve on until you are told to drain: a successor is on its way. It answers `Terminated`.
    ServeOn,
    /// Cut what is left, and exit: the deadline has come.
    Cut,
    /// Leave: stop accepting, finish what you have, exit.
    Drain {
        /// How long idle connections stay open for one more request. Zero: the cluster stops, and
        /// what stands in the listener's queue is to be accepted first.
        window: Duration,
        /// After how long you must be gone.
        deadline: Duration,
    },
    /// A message of the program's own.
    Tell(Box<RawValue>),
    /// A question of the program's own.
    Ask(u64, Box<RawValue>),
    /// The answer to a worker's question.
    Answer(u64, Answer),
}

/// From a worker to the primary.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToPrimary {
    /// I run.
    Online,
    /// I cannot begin, before any code of the program's has run; I exit.
    CannotBegin {
        /// Why.
        reason: String,
        /// The kernel has no room for a thread or a descriptor.
        shortage: bool,
    },
    /// I have these listeners still to serve.
    WaitsFor(Vec<String>),
    /// I could accept connections.
    Ready,
    /// I am alive, and how I am.
    Heartbeat(Vitals, Option<Box<Snapshot>>),
    /// I accept no more connections.
    StoppedAccepting,
    /// I got SIGTERM from outside: replace me.
    Terminated,
    /// I am going to exit, by my own wish.
    Leaving,
    /// A message of the program's own.
    Tell(Box<RawValue>),
    /// The same, for all other workers.
    Relay(Box<RawValue>),
    /// A question of the program's own.
    Ask(u64, Box<RawValue>),
    /// The answer to the primary's question.
    Answer(u64, Answer),
}

/// An answer, or why there is none.
pub type Answer = Result<Box<RawValue>, String>;

/// Who a worker is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Its name.
    pub worker: WorkerId,
    /// Its place.
    pub slot: SlotId,
    /// The version that it runs.
    pub generation: Generation,
    /// How many workers this slot has had before.
    pub restarts: u64,
    /// The settings, as the primary has read and checked them.
    pub config: Config,
    /// Where the listeners really listen, in the order of the settings.
    pub addresses: Vec<String>,
    /// Which descriptor of the [manifest](crate::spawn::manifest) is the memory that all processes
    /// share, if there is one. A primary of an older version does not say, and has none.
    #[serde(default)]
    pub shared: Option<RawFd>,
}
