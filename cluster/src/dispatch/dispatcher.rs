//! The primary's side of the hand-off, without its own loop: the primary reports the events, and the
//! dispatcher keeps the descriptors, consults the books, and sends messages to the workers.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

use super::channel::Sender;
use super::hand_off::{HandOff, Input, Limits, Output};
use super::wire::{Given, MOST, Order, Report};
use super::{Connection, Strategy};
use crate::listener::Peer;
use crate::supervisor::{SlotId, WorkerId};

/// Hands accepted connections to workers.
pub struct Dispatcher {
    books: HandOff,
    /// Our copies of the connections, kept until a worker has acknowledged them.
    copies: HashMap<u64, Accepted>,
    /// The next connection's id.
    next: u64,
    channels: BTreeMap<WorkerId, Channel>,
    /// The connections to send, collected so that a burst needs few messages.
    outbox: BTreeMap<WorkerId, Vec<u64>>,
}

struct Accepted {
    listener: u16,
    fd: OwnedFd,
}

struct Channel {
    sender: Sender,
    /// The worker has closed its end or broken the protocol: the channel is no longer read.
    ended: bool,
}

/// A worker that broke the protocol, with the error.
pub type Broken = (WorkerId, io::Error);

type Received = (Vec<(WorkerId, Report)>, Vec<Broken>);

impl Dispatcher {
    /// A dispatcher without any workers or connections.
    #[must_use]
    pub fn new(limits: Limits, strategy: Box<dyn Strategy>) -> Self {
        Self {
            books: HandOff::new(limits, strategy),
            copies: HashMap::new(),
            next: 0,
            channels: BTreeMap::new(),
            outbox: BTreeMap::new(),
        }
    }

    /// Returns whether the primary should keep accepting.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.books.wants_more()
    }

    /// The number of connections that no worker has taken yet. A stop waits until there are none.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.books.pending()
    }

    /// Takes connections that were accepted from the listener with this number in the settings.
    pub fn accepted(&mut self, listener: u16, batch: impl IntoIterator<Item = (OwnedFd, Peer)>) {
        for (fd, peer) in batch {
            let connection = match self.books.peek() {
                0 => peer.into(),
                bytes => Connection::peek(&fd, peer, bytes),
            };
            let id = self.next;
            self.next += 1;
            self.copies.insert(id, Accepted { listener, fd });
            self.step(Input::Arrived(id, connection));
        }
        self.send_all();
    }

    /// Adds a worker that accepts connections from the other end of this channel.
    pub fn worker_ready(&mut self, worker: WorkerId, slot: SlotId, sender: Sender) {
        self.channels.insert(worker, Channel { sender, ended: false });
        self.step(Input::WorkerReady(worker, slot));
        self.send_all();
    }

    /// Stops giving connections to a worker.
    pub fn worker_draining(&mut self, worker: WorkerId) {
        self.step(Input::WorkerDraining(worker));
        self.send_all();
    }

    /// Removes a worker that has exited. Its last reports are read first; then the connections that
    /// it has not acknowledged go to other workers.
    pub fn worker_gone(&mut self, worker: WorkerId) {
        if let Some(channel) = self.channels.remove(&worker) {
            while let Ok(Some(report)) = channel.sender.try_recv() {
                self.note(worker, report);
            }
        }
        self.step(Input::WorkerGone(worker));
        self.send_all();
    }

    /// Waits for reports from workers, and enters them in the books. Returns the workers that broke
    /// the protocol; they get no more connections, and the supervisor must kill them. It must be
    /// called again and again; dropping the future loses nothing.
    pub async fn receive_reports(&mut self) -> Vec<Broken> {
        let (reports, broken) = poll_fn(|cx| self.poll_reports(cx)).await;
        for (worker, report) in reports {
            self.note(worker, report);
        }
        self.send_all();
        broken
    }

    /// Gives another chance to workers that have declined. Call this about once a second, in case a
    /// worker declined for a reason that has passed although none of its connections has ended.
    pub fn retry(&mut self) {
        self.step(Input::Retry);
        self.send_all();
    }

    /// Prepares a stop of the cluster: workers must take the waiting connections, even beyond their
    /// limits. Workers that accept connections themselves empty the kernel's queue in the same way.
    pub fn admit_all(&mut self) {
        for channel in self.channels.values() {
            // A channel that is full or broken belongs to a worker that takes nothing anyway.
            let _ = channel.sender.send(&Order::AdmitAll, &[]);
        }
        self.step(Input::AdmitAll);
        self.send_all();
    }

    /// Closes all waiting connections: there is no worker for them.
    pub fn suspend(&mut self) {
        self.step(Input::Suspend);
    }

    /// Closes all connections that no worker has, and those that come back later.
    pub fn stop(&mut self) {
        self.step(Input::Stop);
        self.send_all();
    }

    fn note(&mut self, worker: WorkerId, report: Report) {
        for id in report.acked {
            self.step(Input::Acked(worker, id));
        }
        for id in report.declined {
            self.step(Input::Declined(worker, id));
        }
        if report.closed > 0 {
            self.step(Input::Closed(worker, report.closed as usize));
        }
    }

    fn step(&mut self, input: Input) {
        for output in self.books.step(input) {
            match output {
                Output::Send(worker, id) => self.outbox.entry(worker).or_default().push(id),
                Output::Release(id) | Output::Reject(id) => drop(self.copies.remove(&id)),
            }
        }
    }

    /// Sends until nothing is left to send. A worker that cannot take a message counts as full or as
    /// draining, so its connections go to others, and the loop ends.
    fn send_all(&mut self) {
        while let Some((worker, ids)) = self.outbox.pop_first() {
            for ids in ids.chunks(MOST) {
                match self.send(worker, ids) {
                    Ok(true) => {}
                    Ok(false) => ids.iter().for_each(|id| self.step(Input::Declined(worker, *id))),
                    // The worker has hung up. Only its exit decides about connections still on their
                    // way.
                    Err(_) => self.step(Input::WorkerDraining(worker)),
                }
            }
        }
    }

    fn send(&self, worker: WorkerId, ids: &[u64]) -> io::Result<bool> {
        let Some(channel) = self.channels.get(&worker) else {
            return Err(ErrorKind::NotConnected.into());
        };
        let copies = ids.iter().filter_map(|id| Some((*id, self.copies.get(id)?)));
        let (given, descriptors): (Vec<_>, Vec<_>) = copies
            .map(|(id, copy)| (Given { id, listener: copy.listener }, copy.fd.as_fd()))
            .unzip();
        channel.sender.send(&Order::Connections(given), &descriptors)
    }

    /// Reads everything that has arrived on all channels: O(workers).
    fn poll_reports(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let (mut reports, mut broken, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for (&worker, channel) in self.channels.iter_mut().filter(|(_, it)| !it.ended) {
            while let Poll::Ready(received) = channel.sender.poll_recv(cx) {
                if let Ok(Some(report)) = received {
                    reports.push((worker, report));
                    continue;
                }
                channel.ended = true;
                ended.push(worker);
                broken.extend(received.err().map(|error| (worker, error)));
                break;
            }
        }
        if reports.is_empty() && ended.is_empty() {
            return Poll::Pending;
        }
        for worker in ended {
            self.step(Input::WorkerDraining(worker));
        }
        Poll::Ready((reports, broken))
    }
}
