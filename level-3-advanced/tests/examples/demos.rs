//! Each wrong version breaks the row of its claim.

use lab::contract::breaks;

use crate::SUITE;

#[test]
fn cluster_vs_threads_cannot_hold_with_a_pool_without_a_bound() {
    breaks(&SUITE, "cluster-vs-threads", "--wrong=unbounded-pool", "the pool is bounded");
}

#[test]
fn cluster_vs_threads_cannot_hold_with_a_count_in_a_static() {
    breaks(&SUITE, "cluster-vs-threads", "--wrong=static-count", "a count in shared memory");
}

#[test]
fn cluster_vs_threads_cannot_hold_with_heavy_work_on_the_loop() {
    breaks(&SUITE, "cluster-vs-threads", "--wrong=heavy-on-loop", "does not wait");
}

#[test]
fn load_balancing_cannot_hold_in_a_list_with_dead_workers() {
    breaks(&SUITE, "load-balancing", "--wrong=forgets-dead", "after a death");
}

#[test]
fn load_balancing_cannot_hold_with_a_count_that_never_goes_down() {
    breaks(&SUITE, "load-balancing", "--wrong=never-counts-down", "least connections");
}
