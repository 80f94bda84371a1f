//! The choice of a worker.

use std::collections::BTreeMap;

use cluster::dispatch::{
    ClientAddress, Connection, Input, LeastConnections, Limits, RoundRobin, TwoChoices, Workers,
};
use cluster::supervisor::{SlotId, WorkerId};

use super::{any_client, books, client, sent, serve};

#[test]
fn round_robin_splits_sequential_clients_exactly() {
    let mut books = books(Limits::default(), 4, RoundRobin::default());
    let chosen: Vec<_> = (0..12).map(|id| serve(&mut books, id, any_client())).collect();
    assert_eq!(chosen, [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
}

#[test]
fn round_robin_continues_when_workers_come_and_go() {
    let mut books = books(Limits::default(), 4, RoundRobin::default());
    assert_eq!(serve(&mut books, 0, any_client()), 1);
    assert_eq!(serve(&mut books, 1, any_client()), 2);
    books.step(Input::WorkerGone(WorkerId(2))); // it was the last one
    books.step(Input::WorkerGone(WorkerId(3))); // it would be next
    assert_eq!(serve(&mut books, 2, any_client()), 4);
    books.step(Input::WorkerReady(WorkerId(9), SlotId(1)));
    let chosen: Vec<_> = (3..6).map(|id| serve(&mut books, id, any_client())).collect();
    assert_eq!(chosen, [1, 9, 4], "the successor takes the old worker's turn");
}

#[test]
fn round_robin_passes_over_a_worker_without_room() {
    let limits = Limits { window: 1, ..Limits::default() };
    let mut books = books(limits, 3, RoundRobin::default());
    let outputs: Vec<_> = (0..4).map(|id| books.step(Input::Arrived(id, any_client()))).collect();
    assert_eq!(sent(&outputs.concat()), [1, 2, 3], "the fourth waits");
    books.step(Input::Acked(WorkerId(1), 0));
    books.step(Input::Acked(WorkerId(3), 2));
    assert_eq!(sent(&books.step(Input::Arrived(4, any_client()))), [3], "the second has no room");
}

#[test]
fn least_connections_finds_the_idle_one() {
    let mut books = books(Limits::default(), 3, LeastConnections::default());
    let chosen: Vec<_> = (0..6).map(|id| serve(&mut books, id, any_client())).collect();
    assert_eq!(chosen, [1, 2, 3, 1, 2, 3], "equals take turns");
    books.step(Input::Closed(WorkerId(2), 2));
    let chosen: Vec<_> = (6..8).map(|id| serve(&mut books, id, any_client())).collect();
    assert_eq!(chosen, [2, 2]);
}

#[test]
fn least_connections_takes_turns_among_idle_workers() {
    let mut books = books(Limits::default(), 2, LeastConnections::default());
    let mut sequential = |id| {
        let worker = serve(&mut books, id, any_client());
        books.step(Input::Closed(WorkerId(worker), 1));
        worker
    };
    assert_eq!([0, 1, 2, 3].map(&mut sequential), [1, 2, 1, 2]);
}

#[test]
fn two_choices_are_nearly_even_and_repeatable() {
    let run = |seed| {
        let mut books = books(Limits::default(), 8, TwoChoices::new(seed));
        let mut counts = BTreeMap::<u64, usize>::new();
        for id in 0..800 {
            *counts.entry(serve(&mut books, id, any_client())).or_default() += 1;
        }
        counts
    };
    for seed in 0..20 {
        let counts = run(seed);
        assert_eq!(counts, run(seed));
        assert!(counts.values().all(|n| (95..=105).contains(n)), "one choice is ±30: {counts:?}");
    }
    assert_eq!(serve(&mut books(Limits::default(), 1, TwoChoices::new(1)), 0, any_client()), 1);
}

fn homes(workers: u32, clients: u64) -> Vec<u64> {
    let mut books = books(Limits::default(), workers, ClientAddress::default());
    let address = |id| client(&format!("10.0.{}.{}:4000", id / 256, id % 256));
    (0..clients).map(|id| serve(&mut books, id, address(id))).collect()
}

#[test]
fn a_client_stays_with_its_slot_through_a_restart() {
    let mut books = books(Limits::default(), 4, ClientAddress::default());
    let home = serve(&mut books, 0, client("192.0.2.7:1000"));
    assert_eq!(serve(&mut books, 1, client("192.0.2.7:2000")), home, "another port");
    assert_eq!(serve(&mut books, 2, client("[::ffff:192.0.2.7]:2000")), home, "mapped");
    let slot = SlotId(u32::try_from(home).unwrap() - 1);
    books.step(Input::WorkerReady(WorkerId(9), slot)); // a reload: both are ready
    assert_eq!(serve(&mut books, 3, client("192.0.2.7:3000")), 9, "the younger one");
    books.step(Input::WorkerGone(WorkerId(home)));
    assert_eq!(serve(&mut books, 4, client("192.0.2.7:4000")), 9);
}

#[test]
fn one_more_slot_takes_its_share_and_moves_no_other_client() {
    let (before, after) = (homes(4, 2000), homes(5, 2000));
    let moved: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
    assert!(moved.iter().all(|(_, to)| **to == 5), "they move to the new one only");
    assert!((300..500).contains(&moved.len()), "a fifth of 2000, not {}", moved.len());
    for worker in 1..=5 {
        let share = after.iter().filter(|it| **it == worker).count();
        assert!((300..500).contains(&share), "worker {worker} has {share} of 2000");
    }
}

#[test]
fn clients_without_an_address_are_taken_in_turn() {
    let mut books = books(Limits::default(), 3, ClientAddress::default());
    let chosen: Vec<_> = (0..4).map(|id| serve(&mut books, id, any_client())).collect();
    assert_eq!(chosen, [1, 2, 3, 1]);
}

#[test]
fn a_closure_is_a_strategy_and_sees_the_peeked_bytes() {
    let by_first_byte = |connection: &Connection, workers: &Workers| {
        let index = usize::from(*connection.peeked.first()?) % workers.len();
        Some(workers[index].worker)
    };
    let mut books = books(Limits::default(), 3, by_first_byte);
    let peeked = |byte| Connection { peeked: vec![byte], ..any_client() };
    assert_eq!(serve(&mut books, 0, peeked(2)), 3);
    assert_eq!(serve(&mut books, 1, peeked(0)), 1);
    assert!(sent(&books.step(Input::Arrived(2, any_client()))).is_empty(), "it said None");
    assert_eq!(serve(&mut books, 3, peeked(1)), 2, "a waiting client does not hold up others");
}
