//! The phases of a worker's drain.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The minimum time that a draining worker waits for the client's answer to GOAWAY: hyper sends a
/// PING with it, and a request that was on its way at that moment arrives before the answer to the
/// PING.
const ROUND_TRIP: Duration = Duration::from_secs(1);

/// The phase of the drain. The worker sends it, and each connection watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No drain.
    Serving,
    /// The worker is leaving: an idle connection may get one more answer within the window.
    LameDuck {
        /// The instant at which the drain began.
        began: Instant,
        /// The time for which idle connections stay open: from `began`, or from their last answer,
        /// if that was already on its way and could no longer say `Connection: close`.
        window: Duration,
        /// The instant at which everything is cut.
        deadline: Instant,
    },
    /// Cut everything.
    Cut,
}

impl Phase {
    /// A drain that starts now. With a window of zero, idle connections are closed at once.
    #[must_use]
    pub fn lame_duck(window: Duration, deadline: Instant) -> Self {
        Self::LameDuck { began: Instant::now(), window, deadline }
    }

    /// Returns whether the whole cluster is stopping: idle connections get no window, and
    /// connections in a listener's queue are accepted now or never.
    pub(crate) fn is_stop(self) -> bool {
        matches!(self, Self::LameDuck { window: Duration::ZERO, .. })
    }

    /// The end of the window of a connection that has been idle since `since`.
    pub(super) fn window_ends(self, since: Instant) -> Option<Instant> {
        match self {
            Self::Serving => None,
            Self::LameDuck { began, window, .. } => began.max(since).checked_add(window),
            Self::Cut => Some(since),
        }
    }

    /// The end of the time that the client of an HTTP/2 connection, idle since `since`, has to answer
    /// GOAWAY; `None` while no drain has begun.
    pub(super) fn goodbye_ends(self, since: Instant) -> Option<Instant> {
        match self {
            Self::LameDuck { began, window, .. } => {
                began.max(since).checked_add(window.max(ROUND_TRIP))
            }
            Self::Serving | Self::Cut => self.window_ends(since),
        }
    }

    /// The instant at which everything is cut, if that is known.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Serving => None,
            Self::LameDuck { deadline, .. } => Some(deadline),
            Self::Cut => Some(Instant::now()),
        }
    }

    /// Returns whether it is time to cut.
    pub(super) fn is_over(self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// Waits for the next phase; forever if the sender is gone.
pub(super) async fn changed(phase: &mut watch::Receiver<Phase>) {
    if phase.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// Waits for the start of the drain.
pub(super) async fn drain(phase: &mut watch::Receiver<Phase>) {
    while *phase.borrow_and_update() == Phase::Serving {
        changed(phase).await;
    }
}

/// Waits for the moment when everything is cut.
pub(super) async fn cut(phase: &mut watch::Receiver<Phase>) {
    loop {
        let now = *phase.borrow_and_update();
        match now {
            Phase::Serving => changed(phase).await,
            Phase::Cut => return,
            Phase::LameDuck { deadline, .. } => tokio::select! {
                () = sleep_until(deadline) => return,
                () = changed(phase) => {}
            },
        }
    }
}
