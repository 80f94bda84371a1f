//! The beginning: one worker is tried before the service counts as started.
//!
//! A seccomp profile that forbids a system call, a missing `/proc`, a limit on processes: whatever
//! keeps the first worker from beginning would keep every worker from it. So until the first worker
//! runs, no port answers; and if it cannot run, the cluster ends with the reason, instead of trying
//! again while clients wait. A failure of the program's own code is another matter: that worker did
//! run, and is started again with a back-off.

use tracing::warn;

use super::driver::Driver;
use crate::Error;
use crate::supervisor::{Input, WorkerId};

/// The first worker has still to begin.
#[derive(Debug)]
pub(super) struct Trial {
    first: WorkerId,
    /// Workers that could accept connections by now, and wait.
    ready: Vec<WorkerId>,
}

impl Trial {
    pub(super) fn new() -> Self {
        Self { first: WorkerId(1), ready: Vec::new() }
    }
}

impl Driver {
    /// A worker could not begin, before any code of the program's; it exits.
    pub(super) fn unfit(&mut self, worker: WorkerId, reason: &str, shortage: bool) {
        let reason = format!("cannot start a worker: {reason}");
        if let Some(peer) = self.peers.get_mut(&worker) {
            peer.unfit = true;
        }
        self.could_not_begin(&reason, shortage);
        self.feed(Input::Unfit { worker, reason, shortage });
    }

    /// While no worker has begun yet, this is the end of the cluster.
    pub(super) fn could_not_begin(&mut self, reason: &str, shortage: bool) {
        if self.trial.take().is_some() {
            self.doom(Error::new(reason));
        } else if self.doom.is_none() {
            self.tally.shortage.failed(reason, shortage);
        }
    }

    /// A worker runs, or has ended by the program's own doing.
    pub(super) fn passed(&mut self, worker: WorkerId) {
        if self.trial.as_ref().is_some_and(|trial| trial.first == worker) {
            let ready = self.trial.take().map(|trial| trial.ready);
            for worker in ready.into_iter().flatten() {
                self.feed(Input::Ready(worker));
            }
        }
    }

    /// A worker could accept connections.
    pub(super) fn ready(&mut self, worker: WorkerId) {
        match &mut self.trial {
            Some(trial) => trial.ready.push(worker),
            None => self.feed(Input::Ready(worker)),
        }
    }

    /// Ends the cluster with this error as soon as the actions under way are done: it cannot serve.
    pub(super) fn doom(&mut self, error: Error) {
        self.doom.get_or_insert(error);
    }
}

/// Logs once that the kernel has no room, and once that it has some again.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    lasts: bool,
}

impl Shortage {
    /// A worker could not begin.
    pub(super) fn failed(&mut self, reason: &str, shortage: bool) {
        let is_news = !(self.lasts && shortage);
        self.lasts |= shortage;
        if is_news {
            let then = if shortage { "; it is tried again until there is room" } else { "" };
            warn!("{reason}{then}");
        }
    }

    /// A worker runs.
    pub(super) fn is_over(&mut self) {
        if std::mem::take(&mut self.lasts) {
            tracing::info!("workers can be started again");
        }
    }
}
