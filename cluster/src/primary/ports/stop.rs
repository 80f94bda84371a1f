//! A stop: clients that have connected are served, later ones are refused.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tracing::warn;

use super::{Admission, BATCH, Plan, Ports, accepting};
use crate::dispatch::channel::Sender;
use crate::dispatch::wire::{Given, MOST, Order};
use crate::listener::Listeners;
use crate::supervisor::WorkerId;

/// The limit of connections in a queue, by default (`net.core.somaxconn`).
pub(super) const QUEUE: usize = 4096;

impl Ports {
    /// Returns whether connections wait that only the primary can give to workers. It first takes the
    /// connections in the kernel's queue, so that they are served before the workers must stop.
    pub(in crate::primary) fn owes_connections(&mut self) -> bool {
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

    /// Takes in the connections in the kernel's queue, so that workers are given them before they are
    /// ordered to leave.
    pub(in crate::primary) fn take_in(&mut self) {
        self.owes_connections();
        if let Plan::HandOff(dispatcher, sockets) = &mut self.sharing {
            for (number, socket) in (0..).zip(sockets.iter()) {
                dispatcher.accepted(number, socket.accept_waiting(QUEUE));
            }
        }
    }

    /// Lets the kernel refuse new connections. Those that still wait in its queue would be reset: they
    /// are given to workers that have not closed yet because they are busy, and that find them later.
    pub(in crate::primary) fn refuse(&mut self) {
        let is_open = self.admission == Admission::Open;
        let waiting = if is_open { self.take_waiting() } else { Vec::new() };
        self.admission = Admission::Stopped;
        self.turning_away.clear();
        if let Err(error) = self.listeners.refuse() {
            warn!("cannot refuse new connections: {error}");
        }
        match &mut self.sharing {
            Plan::Inherited(senders) | Plan::ReusePort(_, senders) => {
                give(senders, &waiting);
                senders.clear(); // the end of the channel means that nothing follows
            }
            Plan::HandOff(dispatcher, sockets) => {
                sockets.clear();
                dispatcher.stop();
            }
        }
    }

    /// Takes the queues of sockets from which workers accept, with the listeners' numbers.
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
            let waiting = accepting(socket).map(|socket| socket.accept_waiting(QUEUE));
            let waiting = waiting.inspect_err(|error| warn!("{error}")).unwrap_or_default();
            waiting.into_iter().map(move |(connection, _)| (number, connection))
        });
        waiting.collect()
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
    // A worker may have ended, or read nothing; then the next one is tried.
    let turns = (0..senders.len()).cycle();
    for (turn, batch) in turns.zip(waiting.chunks(MOST)) {
        let mut tries = senders.values().cycle().skip(turn).take(senders.len());
        if !tries.any(|sender| give_to(sender, batch).unwrap_or(false)) {
            warn!("{} connections of the queue are lost: no worker reads", batch.len());
        }
    }
}

fn give_to(sender: &Sender, batch: &[(u16, OwnedFd)]) -> std::io::Result<bool> {
    let given = (0..).zip(batch).map(|(id, &(listener, _))| Given { id, listener }).collect();
    let connections: Vec<_> = batch.iter().map(|(_, connection)| connection.as_fd()).collect();
    sender.send(&Order::Connections(given), &connections)
}
