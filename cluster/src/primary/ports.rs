//! The ports of the primary: whether they answer, who accepts, and who gets what was accepted.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::config::{Config, Sharing};
use crate::dispatch::channel::Sender;
use crate::dispatch::wire::{Given, MOST, Order};
use crate::dispatch::{Dispatcher, Limits, Strategy};
use crate::listener::systemd::Passed;
use crate::listener::{Accepting, Lending, Listeners, Loan, Peer};
use crate::supervisor::{SlotId, WorkerId};
use crate::{Error, Result};

/// Connections that are accepted at once, before something else gets its turn.
const BATCH: usize = 64;

/// How often workers that declined are asked again.
const RETRY: Duration = Duration::from_secs(1);

/// All listening sockets, and the plan by which workers share them.
pub(super) struct Ports {
    listeners: Listeners,
    sharing: Plan,
    /// Workers that are not ready yet.
    waiting: BTreeMap<WorkerId, Waiting>,
    /// Listeners that were bound anew, with the number of the last time.
    bound_anew: BTreeMap<usize, u64>,
    times_bound: u64,
    /// When workers that declined are asked again, while connections wait.
    retry_at: Option<Instant>,
    /// Whether workers have been told to take whatever comes, because the cluster stops.
    admits_all: bool,
    /// Whether clients can connect.
    open: bool,
    /// Sockets of systemd's while there is no worker. They cannot be shut, so connections to them are
    /// accepted and closed.
    turning_away: Vec<Accepting>,
}

/// A worker that is not ready yet.
struct Waiting {
    slot: SlotId,
    /// The primary's end of its hand-off channel.
    channel: OwnedFd,
    /// How often sockets had been bound anew when it inherited its own.
    inherited: u64,
}

enum Plan {
    /// Workers accept for themselves; they are lent a socket that was bound anew.
    Inherited(BTreeMap<WorkerId, Sender>),
    /// Each from its slot's socket; those of slots without a worker are lent.
    ReusePort(Lending, BTreeMap<WorkerId, Sender>),
    /// The primary accepts, while the ports are open.
    HandOff(Box<Dispatcher>, Vec<Accepting>),
}

/// What [`Ports::next`] waited for.
pub(super) enum Arrived {
    /// Connections, from the listener with this number.
    Connections(u16, Vec<(OwnedFd, Peer)>),
    /// Workers that broke the protocol, and how.
    Broken(Vec<(WorkerId, String)>),
    /// It is time to ask again who has room.
    Retry,
    /// A worker has closed its hand-off channel: it has given up what was lent to it.
    HungUp(WorkerId),
    /// Connections for which there is no worker; they are closed.
    TurnedAway,
}

impl Ports {
    /// Binds all addresses of the settings; clients cannot connect yet.
    pub(super) fn bind(
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
            retry_at: None,
            admits_all: false,
            open: false,
            turning_away: Vec::new(),
        })
    }

    /// Lets clients connect, if they cannot yet. A worker must be there that will serve them.
    pub(super) fn open(&mut self) -> Result<()> {
        if self.open {
            return Ok(());
        }
        for number in self.listeners.listen()? {
            self.note_bound(number);
        }
        self.turning_away.clear();
        if let (Plan::HandOff(_, sockets), Listeners::HandOff(listeners)) =
            (&mut self.sharing, &self.listeners)
        {
            *sockets = listeners.iter().map(|it| accepting(it.as_fd())).collect::<Result<_>>()?;
        }
        self.open = true;
        Ok(())
    }

    /// Refuses clients until the ports are opened again: there is no worker.
    pub(super) fn suspend(&mut self) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        if let Plan::HandOff(dispatcher, sockets) = &mut self.sharing {
            sockets.clear();
            dispatcher.suspend();
        }
        match self.listeners.suspend().map_err(Error::from).and_then(|open| self.watched(&open)) {
            Ok(sockets) => self.turning_away = sockets,
            Err(error) => warn!("cannot refuse connections while there is no worker: {error}"),
        }
    }

    fn watched(&self, numbers: &[usize]) -> Result<Vec<Accepting>> {
        let (Listeners::Inherited(all) | Listeners::HandOff(all)) = &self.listeners else {
            return Ok(Vec::new());
        };
        numbers.iter().map(|&number| accepting(all[number].as_fd())).collect()
    }

    /// Binds Unix sockets anew whose files were removed. Workers that accept for themselves are lent
    /// the new ones; what still waits in the old ones they serve, too.
    pub(super) fn renew(&mut self) {
        if !self.open {
            return; // they are bound anew when they are opened
        }
        let (renewed, errors) = self.listeners.renew();
        for error in errors {
            warn!("the file of a listening socket is gone, and cannot be made anew: {error}");
        }
        for number in renewed {
            if let Err(error) = self.use_anew(number) {
                warn!("cannot use a socket that was bound anew: {error}");
            }
        }
    }

    fn use_anew(&mut self, number: usize) -> Result<()> {
        let (Listeners::Inherited(all) | Listeners::HandOff(all)) = &self.listeners else {
            return Ok(());
        };
        info!("the file of {} was removed; the socket is bound anew", all[number].address());
        match &mut self.sharing {
            Plan::Inherited(senders) => {
                for sender in senders.values() {
                    lend_for_good(sender, number, all[number].as_fd())?;
                }
            }
            Plan::HandOff(_, sockets) => sockets[number] = accepting(all[number].as_fd())?,
            Plan::ReusePort(..) => {} // has TCP only
        }
        self.note_bound(number);
        Ok(())
    }

    /// Workers that were started before this have inherited another socket.
    fn note_bound(&mut self, number: usize) {
        self.times_bound += 1;
        self.bound_anew.insert(number, self.times_bound);
    }

    /// Lends a worker that accepts for itself what was bound anew since it was started.
    fn lend_bound_anew(&self, sender: &Sender, inherited: u64) -> Result<()> {
        let Listeners::Inherited(all) = &self.listeners else { return Ok(()) };
        for (&number, _) in self.bound_anew.iter().filter(|(_, time)| **time > inherited) {
            lend_for_good(sender, number, all[number].as_fd())?;
        }
        Ok(())
    }

    /// Where they listen, as a client writes it.
    pub(super) fn addresses(&self) -> Arc<[String]> {
        self.listeners.addresses().iter().map(ToString::to_string).collect()
    }

    /// What a worker of this slot inherits. The sockets of a new slot are lent until it is ready,
    /// which may be never.
    pub(super) fn listeners(&mut self, slot: SlotId) -> Result<Vec<BorrowedFd<'_>>> {
        self.listeners.of_slot(slot)?;
        if let Plan::ReusePort(lending, _) = &mut self.sharing {
            let loans = lending.bound(slot);
            self.carry_out(loans);
        }
        self.listeners.of_slot(slot)
    }

    /// A worker was started; `channel` is our end of its hand-off channel.
    pub(super) fn spawned(&mut self, worker: WorkerId, slot: SlotId, channel: OwnedFd) {
        let inherited = self.times_bound;
        self.waiting.insert(worker, Waiting { slot, channel, inherited });
    }

    /// A worker accepts connections.
    pub(super) fn ready(&mut self, worker: WorkerId) {
        let Some(Waiting { slot, channel, inherited }) = self.waiting.remove(&worker) else {
            return;
        };
        let sender = Sender::new(channel).map_err(Error::from).and_then(|sender| {
            self.lend_bound_anew(&sender, inherited)?;
            Ok(sender)
        });
        let sender = match sender {
            Ok(sender) => sender,
            Err(error) => return warn!(%worker, "cannot use its hand-off channel: {error}"),
        };
        match &mut self.sharing {
            Plan::Inherited(senders) => drop(senders.insert(worker, sender)),
            Plan::ReusePort(lending, senders) => {
                senders.insert(worker, sender);
                let loans = lending.ready(worker, slot);
                self.carry_out(loans);
            }
            Plan::HandOff(dispatcher, _) => dispatcher.worker_ready(worker, slot, sender),
        }
    }

    /// A worker is to be given nothing more.
    pub(super) fn draining(&mut self, worker: WorkerId) {
        self.waiting.remove(&worker); // should it get ready all the same
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
    pub(super) fn gone(&mut self, worker: WorkerId) {
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

    /// Whether connections wait that only the primary can give to workers. It takes what stands in
    /// the kernel's queue, so that it is served before the workers are told to stop.
    pub(super) fn owes_connections(&mut self) -> bool {
        let Plan::HandOff(dispatcher, sockets) = &mut self.sharing else { return false };
        if !std::mem::replace(&mut self.admits_all, true) {
            dispatcher.admit_all();
        }
        for (number, socket) in (0..).zip(sockets.iter()) {
            if dispatcher.wants_more() {
                dispatcher.accepted(number, socket.accept_waiting(BATCH));
            }
        }
        dispatcher.pending() > 0
    }

    /// Takes in what stands in the kernel's queue, so that workers are given it before they are told
    /// to leave.
    pub(super) fn take_in(&mut self) {
        self.owes_connections();
        if let Plan::HandOff(dispatcher, sockets) = &mut self.sharing {
            for (number, socket) in (0..).zip(sockets.iter()) {
                dispatcher.accepted(number, socket.accept_waiting(usize::MAX));
            }
        }
    }

    /// A worker accepts no more, or was told so with time to spare: it is given nothing, also when the
    /// cluster stops.
    pub(super) fn closed(&mut self, worker: WorkerId) {
        self.draining(worker);
        if let Plan::Inherited(senders) | Plan::ReusePort(_, senders) = &mut self.sharing {
            senders.remove(&worker);
        }
    }

    /// Lets the kernel refuse new connections. What still stands in its queue would be reset: it is
    /// given to workers that have not closed yet, because they are busy, and find it when they look.
    pub(super) fn refuse(&mut self) {
        let waiting = if self.open { self.take_waiting() } else { Vec::new() };
        self.open = false;
        if let Err(error) = self.listeners.refuse() {
            warn!("cannot refuse new connections: {error}");
        }
        match &mut self.sharing {
            Plan::Inherited(senders) | Plan::ReusePort(_, senders) => {
                give(senders, &waiting);
                senders.clear(); // the end of the channel tells that nothing follows
            }
            Plan::HandOff(dispatcher, sockets) => {
                sockets.clear();
                dispatcher.stop();
            }
        }
    }

    /// What stands in the queues of sockets from which workers accept, with the listeners' numbers.
    fn take_waiting(&mut self) -> Vec<(u16, OwnedFd)> {
        let sockets: Vec<(u16, BorrowedFd<'_>)> = match (&self.sharing, &self.listeners) {
            (Plan::Inherited(senders) | Plan::ReusePort(_, senders), _) if senders.is_empty() => {
                return Vec::new();
            }
            (_, Listeners::Inherited(all)) => (0..).zip(all.iter().map(AsFd::as_fd)).collect(),
            (_, Listeners::ReusePort(groups)) => {
                let numbered = (0..).zip(groups);
                numbered.flat_map(|(number, it)| it.sockets().map(move |fd| (number, fd))).collect()
            }
            (_, Listeners::HandOff(_)) => return Vec::new(),
        };
        let waiting = sockets.into_iter().flat_map(|(number, socket)| {
            let waiting = accepting(socket).map(|socket| socket.accept_waiting(usize::MAX));
            let waiting = waiting.inspect_err(|error| warn!("{error}")).unwrap_or_default();
            waiting.into_iter().map(move |(connection, _)| (number, connection))
        });
        waiting.collect()
    }

    /// Waits for something to do. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Arrived {
        if !self.turning_away.is_empty() {
            drop(accept(&self.turning_away).await);
            return Arrived::TurnedAway;
        }
        match &mut self.sharing {
            Plan::Inherited(senders) | Plan::ReusePort(_, senders) => {
                Arrived::HungUp(hung_up(senders).await)
            }
            Plan::HandOff(dispatcher, sockets) => {
                hand_off(dispatcher, sockets, &mut self.retry_at).await
            }
        }
    }

    /// Does it; returns the workers that broke the protocol.
    pub(super) fn handle(&mut self, arrived: Arrived) -> Vec<(WorkerId, String)> {
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
            _ => {} // what the plan does not bring
        }
        Vec::new()
    }

    fn carry_out(&mut self, loans: Vec<Loan>) {
        let mut loans = VecDeque::from(loans);
        while let Some(loan) = loans.pop_front() {
            let Err(error) = self.lend(loan) else { continue };
            warn!("cannot lend or take back a listening socket: {error}");
            if let (Loan::Lend { to, .. }, Plan::ReusePort(lending, _)) = (loan, &mut self.sharing)
            {
                loans.extend(lending.left(to)); // somebody else, until nobody is left
            }
        }
    }

    fn lend(&mut self, loan: Loan) -> Result<()> {
        let Plan::ReusePort(_, senders) = &self.sharing else { return Ok(()) };
        match loan {
            Loan::Lend { slot, to } => {
                let sockets = self.listeners.of_slot(slot)?;
                let Some(sender) = senders.get(&to) else { return Ok(()) };
                for (listener, socket) in (0..).zip(sockets) {
                    if !sender.send(&Order::Lend { slot, listener }, &[socket])? {
                        return Err(Error::new(format!("worker {to} reads nothing")));
                    }
                }
            }
            Loan::TakeBack { slot, from } => {
                let Some(sender) = senders.get(&from) else { return Ok(()) };
                sender.send(&Order::TakeBack { slot }, &[])?;
            }
        }
        Ok(())
    }
}

fn accepting(socket: BorrowedFd<'_>) -> Result<Accepting> {
    let watched = |error| Error::because("cannot watch a listening socket", error);
    Accepting::new(socket.try_clone_to_owned().map_err(watched)?).map_err(watched)
}

/// A loan that is never taken back; so the slot, which only names it, is none that exists.
fn lend_for_good(sender: &Sender, number: usize, socket: BorrowedFd<'_>) -> Result<()> {
    let listener = u16::try_from(number).expect("listeners are few");
    sender.send(&Order::Lend { slot: SlotId(u32::MAX), listener }, &[socket])?;
    Ok(())
}

/// What happens next where the primary accepts.
async fn hand_off(
    dispatcher: &mut Dispatcher,
    sockets: &[Accepting],
    retry_at: &mut Option<Instant>,
) -> Arrived {
    let wanted = dispatcher.wants_more();
    // Kept from one call to the next: other events may come more often than that.
    let retry = match dispatcher.pending() {
        0 => None,
        _ => Some(*retry_at.get_or_insert_with(|| Instant::now() + RETRY)),
    };
    *retry_at = retry;
    tokio::select! {
        (number, batch) = accept(sockets), if wanted && !sockets.is_empty() => {
            Arrived::Connections(number, batch)
        }
        broken = dispatcher.hear() => {
            let reason = |(worker, error): (_, std::io::Error)| (worker, error.to_string());
            Arrived::Broken(broken.into_iter().map(reason).collect())
        }
        () = sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => Arrived::Retry,
    }
}

/// Deals connections out to workers, whatever their limits are: the cluster stops.
fn give(senders: &BTreeMap<WorkerId, Sender>, waiting: &[(u16, OwnedFd)]) {
    if waiting.is_empty() {
        return;
    }
    for sender in senders.values() {
        let _ = sender.send(&Order::AdmitAll, &[]); // a worker that reads nothing takes nothing
    }
    for (sender, batch) in senders.values().cycle().zip(waiting.chunks(MOST)) {
        let given = (0..).zip(batch).map(|(id, &(listener, _))| Given { id, listener }).collect();
        let connections: Vec<_> = batch.iter().map(|(_, connection)| connection.as_fd()).collect();
        if !sender.send(&Order::Connections(given), &connections).unwrap_or(false) {
            warn!("{} connections of the queue are lost: a worker reads nothing", batch.len());
        }
    }
}

/// The first worker that closes its end of the hand-off channel. It says nothing else there.
async fn hung_up(senders: &BTreeMap<WorkerId, Sender>) -> WorkerId {
    poll_fn(|cx| {
        for (worker, sender) in senders {
            while let Poll::Ready(heard) = sender.poll_recv(cx) {
                if !matches!(heard, Ok(Some(_))) {
                    return Poll::Ready(*worker);
                }
            }
        }
        Poll::Pending
    })
    .await
}

/// Connections from whichever socket has some.
async fn accept(sockets: &[Accepting]) -> (u16, Vec<(OwnedFd, Peer)>) {
    let one = |(number, socket): (u16, _)| {
        Box::pin(async move {
            match Accepting::accept_batch(socket, BATCH).await {
                Some(batch) => (number, batch),
                None => std::future::pending().await, // it was shut
            }
        })
    };
    select_all((0..).zip(sockets).map(one)).await.0
}
