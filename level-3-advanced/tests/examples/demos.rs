//! Each wrong version breaks the row of its claim.

use lab::contract::breaks;

use crate::SUITE;

#[test]
fn load_balancing_cannot_hold_in_a_list_with_dead_workers() {
    breaks(&SUITE, "load-balancing", "--wrong=forgets-dead", "after a death");
}

#[test]
fn load_balancing_cannot_hold_with_a_count_that_never_goes_down() {
    breaks(&SUITE, "load-balancing", "--wrong=never-counts-down", "least connections");
}
