//! The phases of a worker's life, as decided by the primary's orders, signals and the clock.
//!
//! An order from the primary comes over the channel. A signal from outside is only a request, which
//! the worker passes on. systemd, for example, sends SIGTERM to the primary and to every worker at
//! once; a worker that obeyed the signal could close its door before the primary knows that the
//! cluster is stopping, and nothing would empty the queue of clients.

use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::link::{Drain, Link, Order};
use crate::channel::message::ToPrimary;
use crate::http::Phase;

/// The time for which a worker that was asked to leave waits for the primary's answer. After that,
/// the worker leaves on its own: the primary is hung.
const PATIENCE: Duration = Duration::from_secs(2);

/// Directs the phases of one worker.
pub(super) struct Director {
    pub(super) phase: watch::Sender<Phase>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    /// Signals from outside that ask the worker to leave.
    pub(super) signals: [Signal; 2],
    pub(super) link: Link,
    /// The drain of a worker that leaves without an order.
    pub(super) by_itself: Drain,
}

impl Director {
    /// Runs until everything is to be cut.
    pub(super) async fn run(mut self) {
        let mut asked = None;
        while *self.phase.borrow() != Phase::Cut {
            let (deadline, leave_at) = (self.deadline(), asked.filter(|_| self.is_serving()));
            let [term, limit] = &mut self.signals;
            tokio::select! {
                Some(order) = self.orders.recv() => {
                    if let Order::ServeOn = order {
                        asked = None;
                    }
                    self.obey(order);
                }
                _ = term.recv() => self.ask(&mut asked),
                _ = limit.recv() => self.ask(&mut asked),
                () = until(deadline) => drop(self.phase.send(Phase::Cut)),
                () = until(leave_at) => self.leave_by_itself(),
            }
        }
    }

    fn is_serving(&self) -> bool {
        *self.phase.borrow() == Phase::Serving
    }

    fn deadline(&self) -> Option<Instant> {
        match *self.phase.borrow() {
            Phase::LameDuck { deadline, .. } => Some(deadline),
            Phase::Serving | Phase::Cut => None,
        }
    }

    fn obey(&self, order: Order) {
        match order {
            Order::ServeOn => {}
            Order::Drain(drain) => self.drain(drain),
            Order::Cut => drop(self.phase.send(Phase::Cut)),
        }
    }

    /// Starts to leave; a worker that is already leaving can only be hurried.
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

    /// Asks the primary for a replacement, once. A worker that is leaving already has its orders.
    fn ask(&self, asked: &mut Option<Instant>) {
        if self.is_serving() && asked.is_none() {
            *asked = Some(Instant::now() + PATIENCE);
            self.link.send_soon(&ToPrimary::Terminated);
        }
    }

    /// Leaves, and reports it, so that it does not count as a crash.
    fn leave_by_itself(&self) {
        self.link.send_soon(&ToPrimary::Leaving);
        self.drain(self.by_itself);
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
