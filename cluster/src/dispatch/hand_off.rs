//! The books of the hand-off: the connections that each worker was given and has taken, and those
//! that wait.
//!
//! The books are pure: connections are ids, which count up in the order of arrival; the descriptors
//! belong to the [`Dispatcher`](super::Dispatcher). A connection is in exactly one state:
//!
//! ```text
//! waiting ── Send ──> given ── acked ──────────> the worker's (Release: it leaves the books)
//!    ^                  │
//!    └── declined, or the worker is gone
//! ```
//!
//! A connection that comes back keeps its place in the queue: the oldest goes first.

use std::collections::BTreeMap;

use super::{Candidate, Connection, Place, Strategy, Workers};
use crate::supervisor::{SlotId, WorkerId};

/// Limits on connections that have not been taken yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections that one worker was given and has not yet taken. A hung worker holds up no more
    /// than these.
    pub window: usize,
    /// Connections that wait for a worker. At this limit the primary stops accepting, and the kernel's
    /// queue holds the rest. Connections that come back from a worker count as well.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window: 16, queue: 128 }
    }
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The primary has accepted a connection. Its id is larger than all earlier ones.
    Arrived(u64, Connection),
    /// A worker has taken a connection. Ignored unless the connection was given to this worker.
    Acked(WorkerId, u64),
    /// A worker declines a connection, and wants no more until one of its own ends.
    Declined(WorkerId, u64),
    /// This many of a worker's connections have ended.
    Closed(WorkerId, usize),
    /// A worker can be given connections.
    WorkerReady(WorkerId, SlotId),
    /// A worker gets no more connections; those that it was given stay with it until it reports on
    /// them, or is gone.
    WorkerDraining(WorkerId),
    /// A worker has exited, and all of its reports have already been handed in.
    WorkerGone(WorkerId),
    /// Workers that have declined are tried again.
    Retry,
    /// Workers take every connection from now on: no window, no limit of connections.
    AdmitAll,
    /// There is no worker: connections that wait, or come back, are rejected until one is ready.
    Suspend,
    /// No connections are handed over any more.
    Stop,
}

/// An action for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Give this connection to this worker; keep a copy.
    Send(WorkerId, u64),
    /// Close the copy: a worker has it.
    Release(u64),
    /// Close the connection: no worker will serve it. This happens only while suspended, and after a
    /// stop.
    Reject(u64),
}

/// The books.
pub struct HandOff {
    limits: Limits,
    strategy: Box<dyn Strategy>,
    workers: BTreeMap<WorkerId, Account>,
    /// The workers that have room, as the strategy sees them.
    candidates: Workers,
    waiting: BTreeMap<u64, Connection>,
    /// There is no worker now; this ends when one is ready.
    suspended: bool,
    stopping: bool,
}

/// The known state of one worker.
struct Account {
    slot: SlotId,
    open: usize,
    /// Connections that were given and have been neither acked nor declined: the window.
    unacked: BTreeMap<u64, Connection>,
    /// The worker has declined a connection, and none of its own has ended since.
    full: bool,
    draining: bool,
}

impl HandOff {
    /// Books without any workers or connections.
    #[must_use]
    pub fn new(limits: Limits, strategy: Box<dyn Strategy>) -> Self {
        Self {
            limits,
            strategy,
            workers: BTreeMap::new(),
            candidates: Workers::default(),
            waiting: BTreeMap::new(),
            suspended: false,
            stopping: false,
        }
    }

    /// The number of a client's first bytes that the strategy wants to see.
    #[must_use]
    pub fn peek(&self) -> usize {
        self.strategy.peek()
    }

    /// Enters an event in the books, and returns the actions to take, in order.
    pub fn step(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.note(input, &mut outputs);
        if self.stopping || self.suspended {
            outputs.extend(self.reject_all());
        } else {
            self.give(&mut outputs);
        }
        outputs
    }

    /// Returns whether the primary should keep accepting.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        !self.stopping && self.waiting.len() < self.limits.queue
    }

    /// The number of connections that no worker has taken yet: waiting or given.
    #[must_use]
    pub fn pending(&self) -> usize {
        let given = self.workers.values().map(|account| account.unacked.len());
        self.waiting.len() + given.sum::<usize>()
    }

    fn note(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Arrived(id, connection) => drop(self.waiting.insert(id, connection)),
            Input::Acked(worker, id) => self.with(worker, |it| {
                if it.unacked.remove(&id).is_some() {
                    it.open += 1;
                    outputs.push(Output::Release(id));
                }
            }),
            Input::Declined(worker, id) => {
                let mut back = None;
                self.with(worker, |it| {
                    back = it.unacked.remove(&id);
                    it.full |= back.is_some();
                });
                self.waiting.extend(back.map(|connection| (id, connection)));
            }
            Input::Closed(worker, count) => self.with(worker, |it| {
                it.open = it.open.saturating_sub(count);
                it.full &= count == 0;
            }),
            Input::WorkerReady(worker, slot) => {
                self.suspended = false;
                self.workers.entry(worker).or_insert_with(|| Account::new(slot));
                self.with(worker, |_| {});
            }
            Input::WorkerDraining(worker) => self.with(worker, |it| it.draining = true),
            Input::WorkerGone(worker) => self.bury(worker),
            Input::Retry => {
                for worker in self.workers.keys().copied().collect::<Vec<_>>() {
                    self.with(worker, |it| it.full = false);
                }
            }
            Input::AdmitAll => {
                self.limits.window = usize::MAX;
                self.note(Input::Retry, outputs);
            }
            Input::Suspend => self.suspended = true,
            Input::Stop => self.stopping = true,
        }
    }

    fn reject_all(&mut self) -> impl Iterator<Item = Output> + use<> {
        std::mem::take(&mut self.waiting).into_keys().map(Output::Reject)
    }

    /// Changes the state of a worker, if the worker is known, and updates the candidates.
    fn with(&mut self, worker: WorkerId, change: impl FnOnce(&mut Account)) {
        let Some(account) = self.workers.get_mut(&worker) else { return };
        change(account);
        if account.has_room(self.limits.window) {
            self.candidates.put(account.candidate(worker));
        } else {
            self.candidates.remove((account.slot, worker));
        }
    }

    /// Removes a worker; the connections that it had not taken wait again, for other workers.
    fn bury(&mut self, worker: WorkerId) {
        if let Some(account) = self.workers.remove(&worker) {
            self.candidates.remove((account.slot, worker));
            self.waiting.extend(account.unacked);
        }
    }

    /// Gives the waiting connections to the workers that the strategy chooses, the oldest first. A
    /// connection without a chosen worker does not hold up others.
    fn give(&mut self, outputs: &mut Vec<Output>) {
        let mut from = 0;
        while !self.candidates.is_empty() {
            let Some((&id, connection)) = self.waiting.range(from..).next() else { break };
            from = id + 1;
            let chosen = self.strategy.choose(connection, &self.candidates);
            let Some(worker) = chosen.filter(|worker| self.has_room(*worker)) else { continue };
            let connection = self.waiting.remove(&id).expect("it was there two lines ago");
            self.with(worker, |it| drop(it.unacked.insert(id, connection)));
            outputs.push(Output::Send(worker, id));
        }
    }

    fn has_room(&self, worker: WorkerId) -> bool {
        let place = |account: &Account| -> Place { (account.slot, worker) };
        self.workers.get(&worker).is_some_and(|it| self.candidates.at(place(it)).is_some())
    }
}

impl Account {
    fn new(slot: SlotId) -> Self {
        Self { slot, open: 0, unacked: BTreeMap::new(), full: false, draining: false }
    }

    fn has_room(&self, window: usize) -> bool {
        !self.full && !self.draining && self.unacked.len() < window
    }

    fn candidate(&self, worker: WorkerId) -> Candidate {
        Candidate { worker, slot: self.slot, open: self.open, unacked: self.unacked.len() }
    }
}
