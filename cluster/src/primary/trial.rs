//! The trial: one worker is tried before the service counts as started.
//!
//! A seccomp profile that forbids a system call, a missing `/proc`, a limit on processes: a cause
//! that prevents one worker from starting prevents every worker from starting. So if a worker cannot
//! start, and none has started before it, the cluster stops and gives the reason, instead of trying
//! again while clients wait. No port answers yet: the ports are opened when a worker is ready. A
//! failure of the program's own code is a different matter: that worker did run, and is restarted
//! with a back-off.

use tracing::warn;

use super::driver::Driver;
use crate::Error;
use crate::supervisor::{Generation, Input, WorkerId};

impl Driver {
    /// A worker failed to start before running any of the program's own code; it exits.
    pub(super) fn cannot_begin(&mut self, worker: WorkerId, reason: &str, shortage: bool) {
        let Some(peer) = self.peers.get_mut(&worker) else { return };
        if peer.online {
            let why = "it reported that it cannot start, after it had started".to_owned();
            return self.feed(Input::Broken(worker, why));
        }
        peer.cannot_begin = true;
        let reason = format!("cannot start a worker: {}", short(reason));
        self.a_worker_cannot_begin(&reason, shortage);
        self.feed(Input::CannotBegin { worker, reason, shortage });
    }

    /// If no worker has started yet, this is the end of the cluster.
    pub(super) fn a_worker_cannot_begin(&mut self, reason: &str, shortage: bool) {
        let first = self.supervisor.generation() == Generation(1);
        if !self.has_begun && first && self.supervisor.reloading().is_none() {
            self.fatal(Error::new(reason));
        } else if self.fatal.is_none() {
            let again = self.supervisor.reloading().is_none();
            self.tally.shortage.failed(reason, shortage && again);
        }
    }

    /// A worker is running, or the program's own code has ended it.
    pub(super) fn begun(&mut self, worker: WorkerId) {
        self.has_begun |= self.peers.get(&worker).is_some_and(|peer| !peer.cannot_begin);
    }

    /// Ends the cluster with this error as soon as the actions under way are done: the cluster cannot
    /// serve.
    pub(super) fn fatal(&mut self, error: Error) {
        self.fatal.get_or_insert(error);
    }
}

/// Truncates a worker's text to a single line of limited length.
fn short(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(500).collect()
}

/// Logs once that the kernel has no room, and once that it has room again.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    lasts: bool,
}

impl Shortage {
    /// A worker could not start.
    pub(super) fn failed(&mut self, reason: &str, shortage: bool) {
        let is_news = !(self.lasts && shortage);
        self.lasts |= shortage;
        if is_news {
            let then = if shortage { "; it is tried again until there is room" } else { "" };
            warn!("{reason}{then}");
        }
    }

    /// A worker is running.
    pub(super) fn is_over(&mut self) {
        if std::mem::take(&mut self.lasts) {
            tracing::info!("workers can be started again");
        }
    }
}
