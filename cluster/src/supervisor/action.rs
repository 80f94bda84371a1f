//! What the driver is to do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Event, Generation, Refusal, RequestId, SlotId, WorkerId};

/// Something for the driver to do, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Start a process.
    Spawn {
        /// Its name; all later inputs about it use this.
        worker: WorkerId,
        /// Its place.
        slot: SlotId,
        /// The version of the program to run.
        generation: Generation,
    },
    /// Tell a worker to drain: stop accepting, finish what it has, exit.
    Drain {
        /// Whom to tell.
        worker: WorkerId,
        /// How long idle connections stay open for one more request. Zero in a stop.
        window: Duration,
        /// After how long it must be gone, counted from now.
        deadline: Duration,
    },
    /// Let a worker accept connections: it is ready. All listeners listen from now on.
    Accept(WorkerId),
    /// Tell a worker that was asked to leave, from outside, to serve on until it is told to drain: a
    /// successor is on its way.
    ServeOn(WorkerId),
    /// Order a worker to cut what is left of its drain, and to exit.
    Cut(WorkerId),
    /// Send a signal.
    Signal {
        /// To whom.
        worker: WorkerId,
        /// Which.
        signal: Signal,
    },
    /// Let the kernel refuse new connections from now on (`shutdown(SHUT_RD)` on the listener): the
    /// cluster stops.
    RefuseConnections,
    /// The same, until a worker is ready ([`Accept`](Self::Accept)): there is none, and clients
    /// would only wait.
    SuspendConnections,
    /// Answer a request. For `Reload` it comes when the reload has finished, failed or was refused.
    Reply {
        /// Whose.
        request: RequestId,
        /// `Ok` with the number of workers wanted now, or the reason why not.
        result: Result<usize, Refusal>,
    },
    /// Tell the world.
    Emit(Event),
    /// No worker, and no slot, will ever use this version again: close its program.
    Forget(Generation),
    /// All is over: nobody is left, and nothing will be started.
    Finished,
}

/// The signals that the supervisor sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// SIGTERM: for a process that does not read its channel yet, or speaks another protocol.
    Term,
    /// SIGABRT: leave a core dump of what you hang in.
    Abort,
    /// SIGKILL.
    Kill,
}
