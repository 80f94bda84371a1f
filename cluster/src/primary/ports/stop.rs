//! A stop: what has connected is served, what comes later is refused.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tracing::warn;

use super::{BATCH, Plan, Ports, accepting};
use crate::dispatch::channel::Sender;
use crate::dispatch::wire::{Given, MOST, Order};
use crate::listener::Listeners;
use crate::supervisor::WorkerId;

impl Ports {
    /// Whether connections wait that only the primary can give to workers. It takes what stands in
    /// the kernel's queue, so that it is served before the workers are told to stop.
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

    /// Takes in what stands in the kernel's queue, so that workers are given it before they are told
    /// to leave.
    pub(in crate::primary) fn take_in(&mut self) {
        self.owes_connections();
        if let Plan::HandOff(dispatcher, sockets) = &mut self.sharing {
            for (number, socket) in (0..).zip(sockets.iter()) {
                dispatcher.accepted(number, socket.accept_waiting(usize::MAX));
            }
        }
    }

    /// Lets the kernel refuse new connections. What still stands in its queue would be reset: it is
    /// given to workers that have not closed yet, because they are busy, and find it when they look.
    pub(in crate::primary) fn refuse(&mut self) {
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
