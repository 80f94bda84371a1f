//! Sticky sessions: a client always goes to the same slot.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::dice::mix;
use super::{Connection, RoundRobin, Strategy, Workers};
use crate::supervisor::{SlotId, WorkerId};

/// Each client address has an order of preference among slots (rendezvous hashing): O(n).
///
/// A restart keeps a slot's clients, because the new worker has the same slot. A new slot takes 1/n
/// of the clients of each other slot, and a removed slot gives only its own clients away.
///
/// This is a preference, not a promise: while the worker of a client's first slot has no room, the
/// second slot takes the connection. Clients on a Unix socket have no address, and go to the workers
/// in turn.
#[derive(Debug, Default)]
pub struct ClientAddress {
    without_address: RoundRobin,
}

impl Strategy for ClientAddress {
    fn choose(&mut self, connection: &Connection, workers: &Workers) -> Option<WorkerId> {
        let Some(client) = connection.peer.address() else {
            return self.without_address.choose(connection, workers);
        };
        // A client that reaches us by IPv4 and a client at ::ffff:a.b.c.d are the same.
        let client = client.ip().to_canonical();
        // During a reload, a slot may have two workers; the newer one stays.
        workers.iter().max_by_key(|it| (weight(client, it.slot), it.worker)).map(|it| it.worker)
    }
}

fn weight(client: IpAddr, slot: SlotId) -> u64 {
    let mut hasher = DefaultHasher::new(); // with fixed keys: the same in every process
    client.hash(&mut hasher);
    mix(hasher.finish() ^ mix(u64::from(slot.0) + 1))
}
