//! The primary's side of the hand-off, without a loop of its own: the primary tells it what
//! happens, and it keeps the descriptors, asks the books, and talks to the workers.

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
    /// Our copies, kept until a worker has acknowledged.
    copies: HashMap<u64, Accepted>,
    /// The next connection's id.
    next: u64,
    channels: BTreeMap<WorkerId, Channel>,
    /// What is to be sent, collected so that a burst goes in few messages.
    outbox: BTreeMap<WorkerId, Vec<u64>>,
}

struct Accepted {
    listener: u16,
    fd: OwnedFd,
}

struct Channel {
    sender: Sender,
    /// The worker has closed its end or broken the protocol: we listen no more.
    ended: bool,
}

/// A worker that broke the protocol, and how.
pub type Broken = (WorkerId, io::Error);

type Heard = (Vec<(WorkerId, Report)>, Vec<Broken>);

impl Dispatcher {
    /// No workers yet, no connections.
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

    /// Whether to go on accepting.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.books.wants_more()
    }

    /// Connections that no worker has taken yet. A stop waits until there are none.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.books.pending()
    }

    /// Connections were accepted from the listener with this number in the settings.
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

    /// A worker accepts connections from this channel, whose other end it has.
    pub fn worker_ready(&mut self, worker: WorkerId, slot: SlotId, sender: Sender) {
        self.channels.insert(worker, Channel { sender, ended: false });
        self.step(Input::WorkerReady(worker, slot));
        self.send_all();
    }

    /// A worker is to be given no more.
    pub fn worker_draining(&mut self, worker: WorkerId) {
        self.step(Input::WorkerDraining(worker));
        self.send_all();
    }

    /// A worker has exited. What it had said last is read first; then what it had been given and
    /// not acknowledged goes to others.
    pub fn worker_gone(&mut self, worker: WorkerId) {
        if let Some(channel) = self.channels.remove(&worker) {
            while let Ok(Some(report)) = channel.sender.try_recv() {
                self.note(worker, report);
            }
        }
        self.step(Input::WorkerGone(worker));
        self.send_all();
    }

    /// Waits until workers say something, and takes note of it. Returns those that broke the
    /// protocol; they are given no more, and are for the supervisor to kill. To be called again and
    /// again; dropping the future loses nothing.
    pub async fn hear(&mut self) -> Vec<Broken> {
        let (reports, broken) = poll_fn(|cx| self.poll_reports(cx)).await;
        for (worker, report) in reports {
            self.note(worker, report);
        }
        self.send_all();
        broken
    }

    /// Asks workers again that have declined: about once a second, in case one of them declined
    /// for a reason that passed without one of its connections ending.
    pub fn retry(&mut self) {
        self.step(Input::Retry);
        self.send_all();
    }

    /// The cluster is about to stop: workers are to take what waits here, whatever their limits are.
    /// Where they accept for themselves they empty the kernel's queue in the same way.
    pub fn admit_all(&mut self) {
        for channel in self.channels.values() {
            // A channel that is full or broken belongs to a worker that takes nothing anyway.
            let _ = channel.sender.send(&Order::AdmitAll, &[]);
        }
        self.step(Input::AdmitAll);
        self.send_all();
    }

    /// Closes all connections that wait: there is no worker for them.
    pub fn suspend(&mut self) {
        self.step(Input::Suspend);
    }

    /// Closes all connections that no worker has, and those that come back.
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

    /// Sends until nothing is left to send. A worker that cannot be sent to counts as full or as
    /// leaving, so its connections go to others, and this ends.
    fn send_all(&mut self) {
        while let Some((worker, ids)) = self.outbox.pop_first() {
            for ids in ids.chunks(MOST) {
                match self.send(worker, ids) {
                    Ok(true) => {}
                    Ok(false) => ids.iter().for_each(|id| self.step(Input::Declined(worker, *id))),
                    // It has hung up. Only its exit tells what became of those under way.
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

    /// Everything that has arrived on all channels: O(workers).
    fn poll_reports(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        let (mut reports, mut broken, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for (&worker, channel) in self.channels.iter_mut().filter(|(_, it)| !it.ended) {
            while let Poll::Ready(heard) = channel.sender.poll_recv(cx) {
                if let Ok(Some(report)) = heard {
                    reports.push((worker, report));
                    continue;
                }
                channel.ended = true;
                ended.push(worker);
                broken.extend(heard.err().map(|error| (worker, error)));
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
