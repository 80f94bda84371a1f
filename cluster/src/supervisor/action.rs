//! Actions: the orders of the supervisor to the driver.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Event, Generation, Refusal, RequestId, SlotId, WorkerId};

/// An order to the driver; orders are carried out in sequence.
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
    /// Order a worker to drain: stop accepting, finish what it has, exit.
    Drain {
        /// The worker.
        worker: WorkerId,
        /// The time for which idle connections stay open for one more request. Zero during a stop.
        window: Duration,
        /// The time after which it must be gone, counted from now.
        deadline: Duration,
    },
    /// Let a worker accept connections: it is ready. All listeners listen from now on.
    Accept(WorkerId),
    /// Order a worker that was asked to leave from outside to keep serving until it is ordered to
    /// drain: a successor is on its way.
    ServeOn(WorkerId),
    /// Order a worker to cut short the rest of its drain, and to exit.
    Cut(WorkerId),
    /// Send a signal.
    Signal {
        /// The receiver.
        worker: WorkerId,
        /// The signal.
        signal: Signal,
    },
    /// Make the kernel refuse new connections from now on (`shutdown(SHUT_RD)` on the listener): the
    /// cluster is stopping.
    RefuseConnections,
    /// The same, until a worker is ready ([`Accept`](Self::Accept)): there is none, and clients
    /// would only wait.
    SuspendConnections,
    /// Answer a request. For `Reload` the answer comes when the reload has finished or failed, or was
    /// refused.
    Reply {
        /// The request.
        request: RequestId,
        /// `Ok` with the number of workers wanted now, or the reason why the request failed.
        result: Result<usize, Refusal>,
    },
    /// Report an event.
    Emit(Event),
    /// No worker, and no slot, will ever use this version again: close its program.
    Forget(Generation),
    /// The end: no worker is left, and none will be started.
    Finished,
}

/// The signals that the supervisor sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// SIGTERM: for a process that does not read its channel yet, or speaks a different protocol.
    Term,
    /// SIGABRT: for a process that hangs, so that it leaves a core dump.
    Abort,
    /// SIGKILL.
    Kill,
}
