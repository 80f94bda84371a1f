//! The books: nothing is lost, nothing is given twice, and all limits hold.

use std::collections::{BTreeMap, BTreeSet};

use cluster::dispatch::{HandOff, Input, Limits, Output, RoundRobin};
use cluster::supervisor::{SlotId, WorkerId};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{any_client, books, sent, serve};

const SMALL: Limits = Limits { window: 2, queue: 3 };

#[test]
fn a_window_and_a_queue_are_all_that_a_hung_worker_can_hold_up() {
    let mut books = books(SMALL, 1, RoundRobin::default());
    let mut accepted = 0;
    while books.wants_more() {
        books.step(Input::Arrived(accepted, any_client()));
        accepted += 1;
    }
    assert_eq!(accepted, 5, "two given, three waiting, the rest in the kernel");
    assert_eq!(sent(&books.step(Input::Acked(WorkerId(1), 0))), [1]);
    assert!(books.wants_more());
}

#[test]
fn untaken_connections_of_a_dead_worker_move_in_order() {
    let mut books = books(SMALL, 1, RoundRobin::default());
    for id in 0..4 {
        books.step(Input::Arrived(id, any_client()));
    }
    books.step(Input::Acked(WorkerId(1), 0)); // so it gets the third as well
    assert!(books.step(Input::WorkerGone(WorkerId(1))).is_empty(), "there is no other worker yet");
    let outputs = books.step(Input::WorkerReady(WorkerId(2), SlotId(0)));
    assert_eq!(outputs, [Output::Send(WorkerId(2), 1), Output::Send(WorkerId(2), 2)]);
    let outputs = books.step(Input::Acked(WorkerId(2), 1));
    assert_eq!(outputs, [Output::Release(1), Output::Send(WorkerId(2), 3)]);
}

#[test]
fn a_late_ack_of_another_worker_is_ignored() {
    let mut books = books(SMALL, 2, RoundRobin::default());
    books.step(Input::Arrived(0, any_client()));
    assert!(books.step(Input::Acked(WorkerId(2), 0)).is_empty(), "it was given to the first");
    assert!(books.step(Input::Acked(WorkerId(7), 0)).is_empty(), "this worker is unknown");
    assert_eq!(books.step(Input::Acked(WorkerId(1), 0)), [Output::Release(0)]);
    assert!(books.step(Input::Acked(WorkerId(1), 0)).is_empty(), "once is enough");
}

#[test]
fn a_worker_that_declines_is_not_asked_until_it_has_room() {
    let mut books = books(SMALL, 2, RoundRobin::default());
    books.step(Input::Arrived(0, any_client()));
    assert_eq!(sent(&books.step(Input::Declined(WorkerId(1), 0))), [2]);
    assert!(
        sent(&books.step(Input::Declined(WorkerId(2), 0))).is_empty(),
        "all declined: it waits"
    );
    assert!(sent(&books.step(Input::Arrived(1, any_client()))).is_empty());
    let outputs = books.step(Input::Closed(WorkerId(1), 1));
    assert_eq!(outputs, [Output::Send(WorkerId(1), 0), Output::Send(WorkerId(1), 1)]);
}

#[test]
fn retry_asks_workers_that_declined() {
    let mut books = books(SMALL, 1, RoundRobin::default());
    books.step(Input::Arrived(0, any_client()));
    books.step(Input::Declined(WorkerId(1), 0));
    assert_eq!(sent(&books.step(Input::Retry)), [1]);
}

#[test]
fn a_draining_worker_gets_no_more_and_keeps_its_connections() {
    let mut books = books(SMALL, 1, RoundRobin::default());
    books.step(Input::Arrived(0, any_client()));
    assert!(books.step(Input::WorkerDraining(WorkerId(1))).is_empty());
    assert!(books.step(Input::Arrived(1, any_client())).is_empty());
    assert_eq!(books.step(Input::Acked(WorkerId(1), 0)), [Output::Release(0)]);
    assert_eq!(serve_waiting(&mut books, 2), [1]);
}

#[test]
fn a_stop_closes_waiting_and_returned_connections() {
    let mut books = books(Limits { window: 1, queue: 9 }, 1, RoundRobin::default());
    books.step(Input::Arrived(0, any_client()));
    books.step(Input::Arrived(1, any_client()));
    assert_eq!(books.step(Input::Stop), [Output::Reject(1)]);
    assert!(!books.wants_more());
    assert_eq!(books.pending(), 1);
    assert_eq!(books.step(Input::WorkerGone(WorkerId(1))), [Output::Reject(0)]);
    assert_eq!(books.pending(), 0);
}

fn serve_waiting(books: &mut HandOff, worker: u64) -> Vec<u64> {
    let outputs = books.step(Input::WorkerReady(WorkerId(worker), SlotId(0)));
    let ids = outputs.iter().filter_map(|output| match output {
        Output::Send(_, id) => Some(*id),
        _ => None,
    });
    ids.collect()
}

#[test]
fn unknown_workers_and_connections_do_no_harm() {
    let mut books = books(SMALL, 1, RoundRobin::default());
    for input in [
        Input::Declined(WorkerId(1), 5),
        Input::Closed(WorkerId(1), 5),
        Input::Closed(WorkerId(8), 5),
        Input::WorkerDraining(WorkerId(8)),
        Input::WorkerGone(WorkerId(8)),
    ] {
        assert!(books.step(input).is_empty());
    }
    assert_eq!(serve(&mut books, 0, any_client()), 1);
}

/// The next event; its worker and its connection are drawn from those that exist.
#[derive(Clone, Copy, Debug)]
enum Event {
    Arrive,
    Ready(u32),
    Ack(Index),
    Decline(Index),
    Close(Index),
    Drain(Index),
    Die(Index),
    Retry,
}

fn event() -> impl Strategy<Value = Event> {
    let index = any::<Index>;
    prop_oneof![
        6 => Just(Event::Arrive),
        2 => (0..4_u32).prop_map(Event::Ready),
        5 => index().prop_map(Event::Ack),
        1 => index().prop_map(Event::Decline),
        2 => index().prop_map(Event::Close),
        1 => index().prop_map(Event::Drain),
        1 => index().prop_map(Event::Die),
        1 => Just(Event::Retry),
    ]
}

/// The simplest model of the world: the worker of each connection.
#[derive(Default)]
struct Model {
    alive: BTreeSet<WorkerId>,
    draining: BTreeSet<WorkerId>,
    full: BTreeSet<WorkerId>,
    waiting: BTreeSet<u64>,
    given: BTreeMap<u64, WorkerId>,
    released: BTreeSet<u64>,
    arrived: u64,
    workers: u64,
}

impl Model {
    fn input(&mut self, event: Event, wants_more: bool) -> Option<Input> {
        Some(match event {
            Event::Arrive if wants_more => {
                self.arrived += 1;
                self.waiting.insert(self.arrived);
                Input::Arrived(self.arrived, any_client())
            }
            Event::Arrive => return None,
            Event::Ready(slot) => {
                self.workers += 1;
                self.alive.insert(WorkerId(self.workers));
                Input::WorkerReady(WorkerId(self.workers), SlotId(slot))
            }
            Event::Ack(index) => {
                let (id, worker) = pick(&self.given, index)?;
                Input::Acked(worker, id)
            }
            Event::Decline(index) => {
                let (id, worker) = pick(&self.given, index)?;
                self.give_back(id);
                self.full.insert(worker);
                Input::Declined(worker, id)
            }
            Event::Close(index) => {
                let worker = one_of(&self.alive, index)?;
                self.full.remove(&worker);
                Input::Closed(worker, 1)
            }
            Event::Drain(index) => {
                let worker = one_of(&self.alive, index)?;
                self.draining.insert(worker);
                Input::WorkerDraining(worker)
            }
            Event::Die(index) => {
                let worker = one_of(&self.alive, index)?;
                self.alive.remove(&worker);
                let held: Vec<_> = self.given.iter().filter(|it| *it.1 == worker).collect();
                for id in held.into_iter().map(|(id, _)| *id).collect::<Vec<_>>() {
                    self.give_back(id);
                }
                Input::WorkerGone(worker)
            }
            Event::Retry => {
                self.full.clear();
                Input::Retry
            }
        })
    }

    fn give_back(&mut self, id: u64) {
        self.given.remove(&id);
        self.waiting.insert(id);
    }

    fn window(&self, worker: WorkerId) -> usize {
        self.given.values().filter(|it| **it == worker).count()
    }

    fn has_room(&self, worker: WorkerId) -> bool {
        let willing = !self.full.contains(&worker) && !self.draining.contains(&worker);
        self.alive.contains(&worker) && willing && self.window(worker) < SMALL.window
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(worker, id) => {
                    assert!(self.has_room(worker), "{worker:?} has no room");
                    assert_eq!(self.waiting.pop_first(), Some(id), "the oldest first");
                    assert_eq!(self.given.insert(id, worker), None, "given to two");
                }
                Output::Release(id) => {
                    assert!(self.given.remove(&id).is_some(), "{id} was not given");
                    assert!(self.released.insert(id), "released twice");
                }
                Output::Reject(id) => panic!("{id} was rejected, although nothing is stopping"),
            }
        }
    }

    fn check(&self, books: &HandOff) {
        let all = self.waiting.len() + self.given.len() + self.released.len();
        assert_eq!(all as u64, self.arrived, "lost");
        assert_eq!(books.pending(), self.waiting.len() + self.given.len());
        assert_eq!(books.wants_more(), self.waiting.len() < SMALL.queue);
        let idle = self.alive.iter().find(|worker| self.has_room(**worker));
        assert!(self.waiting.is_empty() || idle.is_none(), "{idle:?} has room, and clients wait");
    }
}

fn pick(given: &BTreeMap<u64, WorkerId>, index: Index) -> Option<(u64, WorkerId)> {
    let all: Vec<_> = given.iter().map(|(id, worker)| (*id, *worker)).collect();
    (!all.is_empty()).then(|| *index.get(&all))
}

fn one_of(alive: &BTreeSet<WorkerId>, index: Index) -> Option<WorkerId> {
    let all: Vec<_> = alive.iter().copied().collect();
    (!all.is_empty()).then(|| *index.get(&all))
}

proptest! {
    #[test]
    fn no_connection_is_ever_lost_or_given_twice(
        events in prop::collection::vec(event(), 0..120),
    ) {
        let mut books = HandOff::new(SMALL, Box::new(RoundRobin::default()));
        let mut model = Model::default();
        for event in events {
            let Some(input) = model.input(event, books.wants_more()) else { continue };
            model.carry_out(books.step(input));
            model.check(&books);
        }
    }
}
