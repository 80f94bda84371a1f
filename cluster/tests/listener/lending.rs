//! Every slot's socket is always held by a worker that accepts from it.

use std::collections::{BTreeMap, BTreeSet};

use cluster::listener::{Lending, Loan};
use cluster::supervisor::{SlotId, WorkerId};
use proptest::prelude::*;

const SLOTS: u32 = 5;

/// The slots of the workers: their own, and those that they were lent.
#[derive(Default)]
struct World {
    own: BTreeMap<WorkerId, SlotId>,
    borrowed: BTreeMap<WorkerId, BTreeSet<SlotId>>,
}

impl World {
    fn carry_out(&mut self, loans: Vec<Loan>) {
        for loan in loans {
            match loan {
                Loan::Lend { slot, to } => {
                    assert!(self.own.contains_key(&to), "lent to a worker that does not accept");
                    assert!(self.borrowed.entry(to).or_default().insert(slot), "lent twice");
                }
                Loan::TakeBack { slot, from } => {
                    let borrowed = self.borrowed.get_mut(&from).expect("it borrowed something");
                    assert!(borrowed.remove(&slot), "a slot was taken back that was not lent");
                }
            }
        }
    }

    fn check(&self, bound: &BTreeSet<SlotId>) {
        for slot in bound {
            let own = self.own.values().filter(|it| *it == slot).count();
            let lent = self.borrowed.values().filter(|it| it.contains(slot)).count();
            match own {
                0 => assert_eq!(lent, usize::from(!self.own.is_empty()), "{slot:?} has no worker"),
                _ => assert_eq!(lent, 0, "{slot:?} has a worker of its own"),
            }
        }
        let loans = self.borrowed.values().map(BTreeSet::len);
        assert!(loans.sum::<usize>() <= bound.len());
    }
}

#[derive(Clone, Debug)]
enum Event {
    Ready(u32),
    Left(prop::sample::Index),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..SLOTS + 2).prop_map(Event::Ready), // including slots beyond the initial ones
        any::<prop::sample::Index>().prop_map(Event::Left),
    ]
}

proptest! {
    #[test]
    fn each_socket_is_with_exactly_one_accepting_worker(
        events in prop::collection::vec(event(), 0..60),
    ) {
        let mut bound: BTreeSet<_> = (0..SLOTS).map(SlotId).collect();
        let mut lending = Lending::new(bound.clone());
        let mut world = World::default();
        for (id, event) in (1..).zip(events) {
            let loans = match event {
                Event::Ready(slot) => {
                    bound.insert(SlotId(slot));
                    world.own.insert(WorkerId(id), SlotId(slot));
                    lending.ready(WorkerId(id), SlotId(slot))
                }
                Event::Left(_) if world.own.is_empty() => continue,
                Event::Left(index) => {
                    let worker = *index.get(&world.own.keys().copied().collect::<Vec<_>>());
                    world.own.remove(&worker);
                    world.borrowed.remove(&worker);
                    lending.left(worker)
                }
            };
            world.carry_out(loans);
            world.check(&bound);
        }
    }
}

#[test]
fn sockets_of_missing_workers_are_spread_over_living_ones() {
    let mut lending = Lending::new((0..6).map(SlotId));
    lending.ready(WorkerId(1), SlotId(0));
    lending.ready(WorkerId(2), SlotId(1));
    lending.ready(WorkerId(3), SlotId(2));
    // The first has already borrowed 3, 4 and 5; the socket of the third goes to the second.
    let loans = lending.left(WorkerId(3));
    assert_eq!(loans, [Loan::Lend { slot: SlotId(2), to: WorkerId(2) }]);
    let loans = lending.left(WorkerId(1));
    assert_eq!(loans.len(), 4, "its own and the three it had borrowed");
}

#[test]
fn a_second_worker_of_a_slot_needs_no_loan() {
    let mut lending = Lending::new([SlotId(0)]);
    assert!(lending.ready(WorkerId(1), SlotId(0)).is_empty());
    assert!(lending.ready(WorkerId(2), SlotId(0)).is_empty(), "a reload: the newcomer");
    assert!(lending.left(WorkerId(1)).is_empty(), "and the old one leaves");
}
