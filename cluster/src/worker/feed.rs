//! The worker's end of the hand-off: connections that the primary has accepted, and listening
//! sockets of slots that currently have no worker.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, unconstrained};
use tracing::warn;

use crate::Result;
use crate::config::{Config, Sharing};
use crate::dispatch::channel::{Delivery, Handed, Open, Receiver};
use crate::http::{Phase, Server};
use crate::listener::{Accepting, Peer, Stream};
use crate::supervisor::SlotId;

/// A connection that was not accepted at the worker's own door.
#[derive(Debug)]
pub(super) struct Fed {
    pub(super) stream: Stream,
    pub(super) peer: Peer,
    pub(super) held: Option<Held>,
}

/// Accompanies a connection that the primary has handed over. When it is dropped, there is first
/// room for another connection, and then the primary is notified.
#[derive(Debug)]
pub(super) struct Held {
    _room: OwnedSemaphorePermit,
    _open: Open,
}

/// More connections than a process can have; half of the maximum that a semaphore can count.
const NO_LIMIT: usize = Semaphore::MAX_PERMITS / 2;

/// The way to a door: one for each listener of the settings.
pub(super) type Feeder = mpsc::UnboundedSender<Fed>;

/// Starts the receiving task.
pub(super) fn start(
    hand_off: OwnedFd,
    feeders: Vec<Feeder>,
    config: &Config,
    http: Server,
    phase: watch::Receiver<Phase>,
) -> Result<()> {
    let feed = Feed {
        receiver: Receiver::new(hand_off)?,
        feeders,
        http,
        room: Arc::new(Semaphore::new(config.http.connections.min(NO_LIMIT))),
        accepts: config.sharing != Sharing::HandOff,
        lent: BTreeMap::new(),
    };
    tokio::spawn(feed.run(phase));
    Ok(())
}

struct Feed {
    receiver: Receiver,
    /// The worker accepts connections itself.
    accepts: bool,
    feeders: Vec<Feeder>,
    room: Arc<Semaphore>,
    http: Server,
    lent: BTreeMap<SlotId, Vec<Lent>>,
}

/// A listening socket of another slot, and the task that accepts from it.
struct Lent {
    socket: Arc<Accepting>,
    feeder: Feeder,
    task: AbortHandle,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.task.abort(); // between two connections: it has passed on each one that it accepted
    }
}

impl Feed {
    async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        loop {
            let received = tokio::select! {
                received = self.receiver.recv() => received,
                () = leaving(&mut phase) => break,
            };
            if !self.take(received).await {
                return;
            }
        }
        self.leave(phase).await;
    }

    /// Obeys the order to leave. The primary sends nothing more, and everything that it has sent
    /// has already arrived: it was sent before the order. Only during a stop may the primary give
    /// the rest of the queue of a busy worker to any worker, until it closes the channel.
    async fn leave(mut self, phase: watch::Receiver<Phase>) {
        while let Some(received) = unconstrained(self.receiver.recv()).now_or_never() {
            if !self.take(received).await {
                return;
            }
        }
        if phase.borrow().is_stop() {
            self.lent.values().flatten().for_each(Lent::empty);
            self.lent.clear();
            while self.accepts {
                let received = self.receiver.recv().await;
                self.accepts = self.take(received).await;
            }
        }
        drop(self.lent);
        drop(self.feeders); // the doors are shut now
        // It keeps reporting each connection that ends to the primary.
        while let Ok(Some(_)) = self.receiver.recv().await {}
    }

    /// Takes a delivery. Returns false if no more can arrive.
    async fn take(&mut self, received: io::Result<Option<Delivery>>) -> bool {
        match received {
            Ok(Some(Delivery::Connections(handed))) => self.admit(handed).await,
            Ok(Some(Delivery::Lend { slot, listener, socket })) => {
                return self.borrow(slot, listener, socket);
            }
            Ok(Some(Delivery::AdmitAll)) => self.room.add_permits(NO_LIMIT),
            Ok(Some(Delivery::TakeBack { slot })) => drop(self.lent.remove(&slot)),
            Ok(None) => return false,
            Err(error) => {
                warn!("the hand-off channel is broken: {error}");
                return false;
            }
        }
        true
    }

    /// Takes as many connections as there is room for, and reports them before the first byte of
    /// any is read.
    async fn admit(&mut self, handed: Vec<Handed>) {
        let (mut admitted, mut acked, mut declined) = (Vec::new(), Vec::new(), Vec::new());
        for Handed { given, fd } in handed {
            let room = Arc::clone(&self.room).try_acquire_owned();
            let feeder = self.feeders.get(usize::from(given.listener));
            let (Ok(room), Some(feeder)) = (room, feeder) else {
                declined.push(given.id);
                continue;
            };
            acked.push(given.id);
            let held = Held { _room: room, _open: self.receiver.open() };
            match Stream::adopt(fd) {
                Ok((stream, peer)) => {
                    admitted.push((feeder, Fed { stream, peer, held: Some(held) }));
                }
                Err(_) => drop(held), // the client is already gone
            }
        }
        // Only if the primary accepts does it keep copies, for others to serve.
        if let Err(error) = self.receiver.answer(&acked, &declined).await
            && !self.accepts
        {
            warn!("cannot answer on the hand-off channel: {error}");
            return; // without our ack others may serve them
        }
        for (feeder, fed) in admitted {
            let _ = feeder.send(fed); // fails if the program no longer serves this listener
        }
    }

    /// Borrows a socket. Returns false if it cannot: when this channel ends, the primary lends the
    /// socket to another worker.
    fn borrow(&mut self, slot: SlotId, listener: u16, socket: OwnedFd) -> bool {
        let Some(feeder) = self.feeders.get(usize::from(listener)) else { return false };
        match Accepting::new(socket) {
            Ok(socket) => {
                let lent = Lent::accept(Arc::new(socket), feeder.clone(), self.http.clone());
                self.lent.entry(slot).or_default().push(lent);
                true
            }
            Err(error) => {
                warn!(%slot, "cannot borrow its socket: {error}");
                false
            }
        }
    }
}

impl Lent {
    /// Accepts while there is room for more connections, as at the worker's own door.
    fn accept(socket: Arc<Accepting>, feeder: Feeder, http: Server) -> Self {
        let (listener, to) = (Arc::clone(&socket), feeder.clone());
        let task = tokio::spawn(async move {
            while let Some((stream, peer)) = async {
                http.has_room().await;
                listener.accept().await
            }
            .await
            {
                if to.send(Fed { stream, peer, held: None }).is_err() {
                    return;
                }
            }
        });
        Self { socket, feeder, task: task.abort_handle() }
    }

    /// Takes the connections in its queue: the cluster is stopping, and no other worker will take
    /// them.
    fn empty(&self) {
        self.task.abort();
        while let Some((stream, peer)) = self.socket.accept_ready() {
            let _ = self.feeder.send(Fed { stream, peer, held: None });
        }
    }
}

async fn leaving(phase: &mut watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
}
