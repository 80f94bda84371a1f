//! The simulation against the formula, at a load of 0.9.

use level_3::supermarket::{formula, simulate};

const EVENTS: u64 = 40_000_000;

/// The formula holds for infinitely many queues; with a thousand the difference is small.
#[test]
fn thousand_queues_agree_with_the_formula() {
    for d in [1, 2, 3] {
        let (simulated, expected) = (simulate(1000, 0.9, d, EVENTS, 1), formula(0.9, d));
        let off = simulated / expected - 1.0;
        assert!(off.abs() < 0.015, "d = {d}: {simulated} instead of {expected}, {off:+.4}");
    }
}

/// With a hundred queues three looks are about two per cent slower than the formula.
#[test]
fn hundred_queues_are_slower_than_the_formula() {
    let off = simulate(100, 0.9, 3, EVENTS, 1) / formula(0.9, 3) - 1.0;
    assert!((0.01..0.03).contains(&off), "{off:+.4}");
}
