//! Hand-off of accepted connections: strategies, books, bytes, and the real channel.

mod channel;
mod dispatcher;
mod hand_off;
mod strategies;
mod wire;

use cluster::dispatch::{Connection, HandOff, Input, Limits, Output, Strategy};
use cluster::listener::Peer;
use cluster::supervisor::{SlotId, WorkerId};

/// Books with workers 1, 2, 3 … in slots 0, 1, 2 …
fn books(limits: Limits, workers: u32, strategy: impl Strategy + 'static) -> HandOff {
    let mut books = HandOff::new(limits, Box::new(strategy));
    for slot in 0..workers {
        books.step(Input::WorkerReady(WorkerId(u64::from(slot) + 1), SlotId(slot)));
    }
    books
}

fn client(address: &str) -> Connection {
    Peer::Tcp(address.parse().expect("an address")).into()
}

fn any_client() -> Connection {
    Peer::Unix.into()
}

/// The workers that get a connection, in order.
fn sent(outputs: &[Output]) -> Vec<u64> {
    let workers = outputs.iter().filter_map(|output| match output {
        Output::Send(worker, _) => Some(worker.0),
        _ => None,
    });
    workers.collect()
}

/// A client that connects, is accepted, and stays.
fn serve(books: &mut HandOff, id: u64, connection: Connection) -> u64 {
    let worker = sent(&books.step(Input::Arrived(id, connection)))[0];
    books.step(Input::Acked(WorkerId(worker), id));
    worker
}
