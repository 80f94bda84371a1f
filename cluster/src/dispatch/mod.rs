//! Hand-off: the primary accepts, and gives each connection to a worker that a strategy chooses.
//!
//! The parts, from the inside out: a [`Strategy`] chooses one of the [`Workers`]. [`HandOff`] keeps
//! the books: the connections that a worker was given and has not yet taken, and those that wait. It
//! is pure: ids go in and out, no descriptors. [`wire`] defines the messages, [`channel`] moves them
//! together with descriptors, and the [`Dispatcher`] ties everything together for the primary.
//!
//! A connection is never lost between two processes: the primary keeps its copy until the worker
//! has acknowledged the connection (before reading the first byte), and gives it to another worker if
//! the first one is known to be gone, or declines. The primary never does so while the worker merely
//! hangs: that worker might still read from the connection.

pub mod channel;
mod client_address;
mod dice;
mod dispatcher;
mod hand_off;
mod least_connections;
mod packet;
mod round_robin;
mod two_choices;
pub mod wire;

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::os::fd::AsFd;

use rustix::net::{RecvFlags, recv};

pub use client_address::ClientAddress;
pub use dispatcher::Dispatcher;
pub use hand_off::{HandOff, Input, Limits, Output};
pub use least_connections::LeastConnections;
pub use round_robin::RoundRobin;
pub use two_choices::TwoChoices;

use crate::listener::Peer;
use crate::supervisor::{SlotId, WorkerId};

/// Chooses the worker for a connection.
///
/// A strategy runs in the primary's only loop, so it must not block: everything else waits for it. A
/// closure `|connection, workers| …` is a strategy, too.
pub trait Strategy: Send {
    /// Returns one of `workers`, of which there is at least one; all of them have room. If it returns
    /// `None`, or the name of any other worker, the connection waits until something changes, and
    /// then this is called for it again.
    fn choose(&mut self, connection: &Connection, workers: &Workers) -> Option<WorkerId>;

    /// The number of a client's first bytes that the strategy wants to see, if they have already
    /// arrived; the primary does not wait for them, and the worker reads them again. Each such look
    /// is a system call.
    fn peek(&self) -> usize {
        0
    }
}

impl<F: FnMut(&Connection, &Workers) -> Option<WorkerId> + Send> Strategy for F {
    fn choose(&mut self, connection: &Connection, workers: &Workers) -> Option<WorkerId> {
        self(connection, workers)
    }
}

/// A connection as a strategy sees it. The strategy cannot read from the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The client.
    pub peer: Peer,
    /// The first bytes that the client has sent, if the strategy wants them; the worker reads them
    /// again.
    pub peeked: Vec<u8>,
}

impl Connection {
    /// Looks at the bytes that have already arrived, without waiting: at most `most` bytes, which
    /// stay there for the worker.
    #[must_use]
    pub fn peek(connection: impl AsFd, peer: Peer, most: usize) -> Self {
        let mut bytes = vec![MaybeUninit::uninit(); most];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = recv(connection, bytes.as_mut_slice(), flags);
        Self { peer, peeked: peeked.map(|((seen, _), _)| seen.to_vec()).unwrap_or_default() }
    }
}

impl From<Peer> for Connection {
    fn from(peer: Peer) -> Self {
        Self { peer, peeked: Vec::new() }
    }
}

/// A worker that may be given a connection now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The worker's name.
    pub worker: WorkerId,
    /// The worker's slot, which its successor inherits.
    pub slot: SlotId,
    /// Connections that it has taken and that have not ended.
    pub open: usize,
    /// Connections that it was given and has not yet taken.
    pub unacked: usize,
}

impl Candidate {
    /// The number of connections that it has, or will have in a moment.
    #[must_use]
    pub fn load(&self) -> usize {
        self.open + self.unacked
    }

    /// The worker's place in the order of workers.
    #[must_use]
    pub fn place(&self) -> Place {
        (self.slot, self.worker)
    }
}

/// The order of workers: by slot; during a reload a slot may have two workers, the older one first.
pub type Place = (SlotId, WorkerId);

/// The workers that have room, in the order of their places: a slice with two more look-ups.
#[derive(Clone, Debug, Default)]
pub struct Workers(Vec<Candidate>);

impl Workers {
    /// All of them once, beginning with the first after `place`: O(log n) for the first.
    pub fn after(&self, place: Option<Place>) -> impl Iterator<Item = &Candidate> {
        let start = self.0.partition_point(|it| Some(it.place()) <= place);
        self.0[start..].iter().chain(&self.0[..start])
    }

    /// The worker at this place, if it has room.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<&Candidate> {
        self.position(place).ok().map(|index| &self.0[index])
    }

    /// Adds a worker, or brings it up to date.
    fn put(&mut self, candidate: Candidate) {
        match self.position(candidate.place()) {
            Ok(index) => self.0[index] = candidate,
            Err(index) => self.0.insert(index, candidate),
        }
    }

    fn remove(&mut self, place: Place) {
        if let Ok(index) = self.position(place) {
            self.0.remove(index);
        }
    }

    fn position(&self, place: Place) -> Result<usize, usize> {
        self.0.binary_search_by_key(&place, Candidate::place)
    }
}

impl Deref for Workers {
    type Target = [Candidate];

    fn deref(&self) -> &[Candidate] {
        &self.0
    }
}
