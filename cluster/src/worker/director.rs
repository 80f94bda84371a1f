//! Who decides in which phase of its life a worker is: the primary, SIGTERM, and the clock.

use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::link::{Drain, Link};
use crate::channel::message::ToPrimary;
use crate::http::Phase;

/// Directs the phases of one worker.
pub(super) struct Director {
    pub(super) phase: watch::Sender<Phase>,
    pub(super) drains: mpsc::UnboundedReceiver<Drain>,
    pub(super) term: Signal,
    pub(super) link: Link,
    /// How a worker leaves that is told to by SIGTERM, and not by its primary.
    pub(super) by_itself: Drain,
}

impl Director {
    /// Runs until all is to be cut.
    pub(super) async fn run(mut self) {
        while *self.phase.borrow() != Phase::Cut {
            let deadline = self.deadline();
            tokio::select! {
                Some(drain) = self.drains.recv() => self.drain(drain),
                _ = self.term.recv() => self.terminated(),
                () = until(deadline) => drop(self.phase.send(Phase::Cut)),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match *self.phase.borrow() {
            Phase::LameDuck { deadline, .. } => Some(deadline),
            Phase::Serving | Phase::Cut => None,
        }
    }

    /// Begins to leave; whoever is leaving already may only be told to hurry.
    fn drain(&self, Drain { window, deadline }: Drain) {
        let by = Instant::now() + deadline;
        let hurried = match *self.phase.borrow() {
            Phase::Serving => Phase::lame_duck(window, by),
            Phase::LameDuck { began, window: longer, deadline: later } => {
                Phase::LameDuck { began, window: longer.min(window), deadline: later.min(by) }
            }
            Phase::Cut => Phase::Cut,
        };
        let _ = self.phase.send(hurried);
    }

    /// An operator's `kill`: leave gracefully, and say so, for it is no crash. At a second one, or at
    /// the end of the primary's patience: at once.
    fn terminated(&self) {
        if self.deadline().is_some() {
            let _ = self.phase.send(Phase::Cut);
            return;
        }
        // Not awaited: a primary that hears nothing must not keep us.
        let link = self.link.clone();
        tokio::spawn(async move { link.send(&ToPrimary::Leaving).await });
        self.drain(self.by_itself);
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
