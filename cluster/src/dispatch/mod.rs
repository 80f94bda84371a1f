//! Hand-off: the primary accepts, and gives each connection to a worker that a strategy chooses.
//!
//! The parts, from the inside out: a [`Strategy`] chooses one of the [`Workers`]. [`HandOff`] keeps
//! the books: who has been given what and has not yet taken it, and what waits. It is pure: ids go
//! in and out, no descriptors. [`wire`] says what the messages look like, [`channel`] moves them
//! together with descriptors, and the [`Dispatcher`] ties all of it together for the primary.
//!
//! A connection is never lost between two processes: the primary keeps its copy until the worker
//! has acknowledged (before it reads the first byte), and gives it to another one when the worker
//! is known to be gone, or declines. It never does so while the worker merely hangs: it might still
//! read from it.

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

/// Chooses who gets a connection.
///
/// It runs in the primary's only loop, so it must not block: everything waits for it. A closure
/// `|connection, workers| …` is a strategy, too.
pub trait Strategy: Send {
    /// One of `workers`, of which there is at least one; all of them have room. With `None`, or the
    /// name of another worker, the connection waits until something changes, and is asked about
    /// again.
    fn choose(&mut self, connection: &Connection, workers: &Workers) -> Option<WorkerId>;

    /// How many of a client's first bytes it wants to see, if they have come already; nobody waits
    /// for them, and the worker reads them again. Each look is a system call.
    fn peek(&self) -> usize {
        0
    }
}

impl<F: FnMut(&Connection, &Workers) -> Option<WorkerId> + Send> Strategy for F {
    fn choose(&mut self, connection: &Connection, workers: &Workers) -> Option<WorkerId> {
        self(connection, workers)
    }
}

/// What a strategy sees of a connection. It cannot read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The client.
    pub peer: Peer,
    /// The first bytes that the client has sent, if somebody looked; the worker reads them again.
    pub peeked: Vec<u8>,
}

impl Connection {
    /// Looks at what has arrived already, without waiting: at most `most` bytes, which stay there
    /// for the worker.
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
    /// Its name.
    pub worker: WorkerId,
    /// Its place, which its successor inherits.
    pub slot: SlotId,
    /// Connections that it has taken and that have not ended.
    pub open: usize,
    /// Connections that it was given and has not yet taken.
    pub unacked: usize,
}

impl Candidate {
    /// All connections that it has, or will have in a moment.
    #[must_use]
    pub fn load(&self) -> usize {
        self.open + self.unacked
    }

    /// Where it stands in the order of workers.
    #[must_use]
    pub fn place(&self) -> Place {
        (self.slot, self.worker)
    }
}

/// The order of workers: by slot; in a reload a slot may have two, the older first.
pub type Place = (SlotId, WorkerId);

/// The workers that have room, in the order of their places: a slice with two more ways to look.
#[derive(Clone, Debug, Default)]
pub struct Workers(Vec<Candidate>);

impl Workers {
    /// All of them once, beginning with the first one after `place`: O(log n) for the first.
    pub fn after(&self, place: Option<Place>) -> impl Iterator<Item = &Candidate> {
        let start = self.0.partition_point(|it| Some(it.place()) <= place);
        self.0[start..].iter().chain(&self.0[..start])
    }

    /// The one at this place, if it has room.
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
