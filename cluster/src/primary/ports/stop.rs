//! A stop: clients that have connected are served, and later ones are refused.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tracing::warn;

use super::{Admission, BATCH, Plan, Ports, accepting};
use crate::dispatch::channel::Sender;
use crate::dispatch::wire::{Given, MOST, Order};
use crate::listener::Listeners;
use crate::supervisor::WorkerId;

/// The default limit on the connections in a queue (`net.core.somaxconn`).
pub(super) const QUEUE: usize = 4096;

impl Ports {
    /// Returns whether there are waiting connections that only the primary can give to workers. It
    /// first takes in the connections in the kernel's queue, so that they are served before the
    /// workers must stop.
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

    /// Makes the kernel refuse new connections. Those still waiting in its queue would be reset, so
    /// they are given to workers that are busy, have not closed yet, and will find them later.
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
                senders.clear(); // the end of the channel means that nothing more follows
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

/// Deals connections out to workers, regardless of their limits, because the cluster is stopping.
fn give(senders: &BTreeMap<WorkerId, Sender>, waiting: &[(u16, OwnedFd)]) {
    if waiting.is_empty() {
        return;
    }
    for sender in senders.values() {
        let _ = sender.send(&Order::AdmitAll, &[]); // a worker that does not read takes nothing
    }
    // A worker may have exited, or may not be reading; then the next one is tried.
    let turns = (0..senders.len()).cycle();
    for (turn, batch) in turns.zip(waiting.chunks(MOST)) {
        let mut tries = senders.values().cycle().skip(turn).take(senders.len());
        if !tries.any(|sender| give_to(sender, batch).unwrap_or(false)) {
            warn!("{} connections in the queue are lost: no worker is reading", batch.len());
        }
    }
}

fn give_to(sender: &Sender, batch: &[(u16, OwnedFd)]) -> std::io::Result<bool> {
    let given = (0..).zip(batch).map(|(id, &(listener, _))| Given { id, listener }).collect();
    let connections: Vec<_> = batch.iter().map(|(_, connection)| connection.as_fd()).collect();
    sender.send(&Order::Connections(given), &connections)
}
