//! The ports of the primary: they determine which process accepts, and which worker gets a
//! connection.
//!
//! `admission` decides whether clients can connect at all, `loans` lends sockets to workers that have
//! not inherited them, and `stop` serves waiting clients when the cluster stops.

mod admission;
mod loans;
mod stop;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::time::{Instant, sleep_until};

use crate::config::{Config, Sharing};
use crate::dispatch::channel::Sender;
use crate::dispatch::{Dispatcher, Limits, Strategy};
use crate::listener::systemd::Passed;
use crate::listener::{Accepting, Lending, Listeners, Peer};
use crate::supervisor::{SlotId, WorkerId};
use crate::{Error, Result};

/// The number of connections that are accepted in one go before something else gets its turn.
const BATCH: usize = 64;

/// The time after which workers that declined are asked again.
const RETRY: Duration = Duration::from_secs(1);

/// All listening sockets, and the plan by which workers share them.
pub(in crate::primary) struct Ports {
    listeners: Listeners,
    sharing: Plan,
    /// Workers that are not ready yet.
    waiting: BTreeMap<WorkerId, Waiting>,
    /// Listeners that were rebound, each with the number of the last time.
    bound_anew: BTreeMap<usize, u64>,
    times_bound: u64,
    /// A socket could not be rebound at the last check; this is logged once.
    renewal_failed: bool,
    /// The time at which workers that declined are asked again, while connections are waiting.
    retry_at: Option<Instant>,
    /// Workers have been ordered to take every connection, because the cluster is stopping.
    admits_all: bool,
    admission: Admission,
    /// Sockets from systemd, while there is no worker. They cannot be shut down, so connections to
    /// them are accepted and closed.
    turning_away: Vec<Accepting>,
}

/// The state of the ports, as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    /// No worker has been ready yet.
    NotYet,
    Open,
    /// There is no worker.
    Suspended,
    /// The cluster is stopping.
    Stopped,
}

/// A worker that is not ready yet.
struct Waiting {
    slot: SlotId,
    /// The primary's end of its hand-off channel.
    channel: OwnedFd,
    /// The number of times that sockets had been rebound when it inherited its own.
    inherited: u64,
}

enum Plan {
    /// Workers accept connections themselves; they are lent a socket that was rebound.
    Inherited(BTreeMap<WorkerId, Sender>),
    /// Each worker accepts from its slot's socket; sockets of slots without a worker are lent.
    ReusePort(Lending, BTreeMap<WorkerId, Sender>),
    /// The primary accepts, while the ports are open.
    HandOff(Box<Dispatcher>, Vec<Accepting>),
}

/// The result of [`Ports::next`].
pub(in crate::primary) enum Arrived {
    /// Connections, from the listener with this number.
    Connections(u16, Vec<(OwnedFd, Peer)>),
    /// Workers that broke the protocol, and how.
    Broken(Vec<(WorkerId, String)>),
    /// It is time to ask again which workers have room.
    Retry,
    /// A worker has closed its hand-off channel: it has given up what was lent to it.
    HungUp(WorkerId),
    /// Connections for which there is no worker; they are closed.
    TurnedAway,
}

impl Ports {
    /// Binds all addresses in the settings; clients cannot connect yet.
    pub(in crate::primary) fn bind(
        config: &Config,
        passed: Passed,
        strategy: Box<dyn Strategy>,
    ) -> Result<Self> {
        let slots = config.policy.workers;
        let listeners = Listeners::bind(&config.listen, config.sharing, slots, passed)?;
        let sharing = match (&listeners, config.sharing) {
            (Listeners::HandOff(_), _) => {
                let dispatcher = Box::new(Dispatcher::new(Limits::default(), strategy));
                Plan::HandOff(dispatcher, Vec::new())
            }
            (_, Sharing::ReusePort) => {
                let bound = (0..u32::MAX).take(slots).map(SlotId);
                Plan::ReusePort(Lending::new(bound), BTreeMap::new())
            }
            _ => Plan::Inherited(BTreeMap::new()),
        };
        Ok(Self {
            listeners,
            sharing,
            waiting: BTreeMap::new(),
            bound_anew: BTreeMap::new(),
            times_bound: 0,
            renewal_failed: false,
            retry_at: None,
            admits_all: false,
            admission: Admission::NotYet,
            turning_away: Vec::new(),
        })
    }

    /// The addresses of the ports, as a client would write them.
    pub(in crate::primary) fn addresses(&self) -> Arc<[String]> {
        self.listeners.addresses().iter().map(ToString::to_string).collect()
    }

    /// The sockets that a worker of this slot inherits. Those of a new slot are lent until its worker
    /// is ready, which may be never.
    pub(in crate::primary) fn listeners(&mut self, slot: SlotId) -> Result<Vec<BorrowedFd<'_>>> {
        self.listeners.of_slot(slot)?;
        if let Plan::ReusePort(lending, _) = &mut self.sharing {
            let loans = lending.bound(slot);
            self.carry_out(loans);
        }
        self.listeners.of_slot(slot)
    }

    /// A worker was started; `channel` is our end of its hand-off channel.
    pub(in crate::primary) fn spawned(&mut self, worker: WorkerId, slot: SlotId, channel: OwnedFd) {
        let inherited = self.times_bound;
        self.waiting.insert(worker, Waiting { slot, channel, inherited });
    }

    /// A worker accepts connections.
    ///
    /// # Errors
    /// Nothing can be sent to the worker: it would be ready, but would never get anything.
    pub(in crate::primary) fn ready(&mut self, worker: WorkerId) -> Result<()> {
        let Some(Waiting { slot, channel, inherited }) = self.waiting.remove(&worker) else {
            return Ok(());
        };
        let sender = Sender::new(channel).map_err(Error::from).and_then(|sender| {
            self.lend_bound_anew(&sender, inherited)?;
            Ok(sender)
        });
        let cannot = |error| Error::because("its hand-off channel cannot be used", error);
        let sender = sender.map_err(cannot)?;
        match &mut self.sharing {
            Plan::Inherited(senders) => drop(senders.insert(worker, sender)),
            Plan::ReusePort(lending, senders) => {
                senders.insert(worker, sender);
                let loans = lending.ready(worker, slot);
                self.carry_out(loans);
            }
            Plan::HandOff(dispatcher, _) => dispatcher.worker_ready(worker, slot, sender),
        }
        Ok(())
    }

    /// A worker must not be given anything more.
    pub(in crate::primary) fn draining(&mut self, worker: WorkerId) {
        self.waiting.remove(&worker); // in case it becomes ready after all
        match &mut self.sharing {
            Plan::Inherited(_) => {}
            Plan::ReusePort(lending, _) => {
                let loans = lending.left(worker);
                self.carry_out(loans);
            }
            Plan::HandOff(dispatcher, _) => dispatcher.worker_draining(worker),
        }
    }

    /// A worker has exited.
    pub(in crate::primary) fn gone(&mut self, worker: WorkerId) {
        self.waiting.remove(&worker);
        match &mut self.sharing {
            Plan::Inherited(senders) => drop(senders.remove(&worker)),
            Plan::ReusePort(lending, senders) => {
                senders.remove(&worker);
                let loans = lending.left(worker);
                self.carry_out(loans);
            }
            Plan::HandOff(dispatcher, _) => dispatcher.worker_gone(worker),
        }
    }

    /// A worker no longer accepts connections, or was ordered to stop accepting with time to spare:
    /// it is given nothing, even when the cluster stops.
    pub(in crate::primary) fn closed(&mut self, worker: WorkerId) {
        self.draining(worker);
        if let Plan::Inherited(senders) | Plan::ReusePort(_, senders) = &mut self.sharing {
            senders.remove(&worker);
        }
    }

    /// Waits for something to do. Dropping the future loses nothing.
    pub(in crate::primary) async fn next(&mut self) -> Arrived {
        let turning_away = &self.turning_away;
        let turned_away = async {
            if turning_away.is_empty() {
                return std::future::pending().await;
            }
            drop(accept(turning_away).await);
        };
        let others = async {
            match &mut self.sharing {
                Plan::Inherited(senders) | Plan::ReusePort(_, senders) => {
                    Arrived::HungUp(hung_up(senders).await)
                }
                Plan::HandOff(dispatcher, sockets) => {
                    hand_off(dispatcher, sockets, &mut self.retry_at).await
                }
            }
        };
        tokio::select! {
            () = turned_away => Arrived::TurnedAway,
            arrived = others => arrived,
        }
    }

    /// Handles what arrived; returns the workers that broke the protocol.
    pub(in crate::primary) fn handle(&mut self, arrived: Arrived) -> Vec<(WorkerId, String)> {
        match (arrived, &mut self.sharing) {
            (Arrived::Broken(broken), _) => return broken,
            (Arrived::Connections(number, batch), Plan::HandOff(dispatcher, _)) => {
                dispatcher.accepted(number, batch);
            }
            (Arrived::Retry, Plan::HandOff(dispatcher, _)) => {
                self.retry_at = None;
                dispatcher.retry();
            }
            (Arrived::HungUp(worker), Plan::ReusePort(lending, senders)) => {
                senders.remove(&worker);
                let loans = lending.left(worker);
                self.carry_out(loans);
            }
            (Arrived::HungUp(worker), Plan::Inherited(senders)) => drop(senders.remove(&worker)),
            _ => {} // does not occur with this plan
        }
        Vec::new()
    }
}

fn accepting(socket: BorrowedFd<'_>) -> Result<Accepting> {
    let watched = |error| Error::because("cannot watch a listening socket", error);
    Accepting::new(socket.try_clone_to_owned().map_err(watched)?).map_err(watched)
}

/// The next arrival, if the primary accepts connections.
async fn hand_off(
    dispatcher: &mut Dispatcher,
    sockets: &[Accepting],
    retry_at: &mut Option<Instant>,
) -> Arrived {
    let wanted = dispatcher.wants_more();
    // Kept from one call to the next: other events may come more often than retries.
    let retry = match dispatcher.pending() {
        0 => None,
        _ => Some(*retry_at.get_or_insert_with(|| Instant::now() + RETRY)),
    };
    *retry_at = retry;
    tokio::select! {
        (number, batch) = accept(sockets), if wanted && !sockets.is_empty() => {
            Arrived::Connections(number, batch)
        }
        broken = dispatcher.receive_reports() => {
            let reason = |(worker, error): (_, std::io::Error)| (worker, error.to_string());
            Arrived::Broken(broken.into_iter().map(reason).collect())
        }
        () = sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => Arrived::Retry,
    }
}

/// The first worker that closes its end of the hand-off channel. Workers send nothing else there.
async fn hung_up(senders: &BTreeMap<WorkerId, Sender>) -> WorkerId {
    poll_fn(|cx| {
        for (worker, sender) in senders {
            while let Poll::Ready(received) = sender.poll_recv(cx) {
                if !matches!(received, Ok(Some(_))) {
                    return Poll::Ready(*worker);
                }
            }
        }
        Poll::Pending
    })
    .await
}

/// Connections from the first socket that has any.
async fn accept(sockets: &[Accepting]) -> (u16, Vec<(OwnedFd, Peer)>) {
    let one = |(number, socket): (u16, _)| {
        Box::pin(async move {
            match Accepting::accept_batch(socket, BATCH).await {
                Some(batch) => (number, batch),
                None => std::future::pending().await, // it has been shut down
            }
        })
    };
    select_all((0..).zip(sockets).map(one)).await.0
}
