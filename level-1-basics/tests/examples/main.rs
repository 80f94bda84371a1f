//! Every example of level 1, run for real: started as a user would start it, queried over HTTP,
//! killed, and watched in `/proc`.
//!
//! The tests wait for facts and never for a fixed time, use port 0, and clean up after themselves even
//! if they fail (`Service` stops its processes when it is dropped).

mod basic_cluster;
mod contract;
mod demos;
mod fork_and_wait;
mod message_passing;
mod pages;
mod round_robin;
mod single_thread_problem;
mod stops;
mod worker_events;

use lab::Service;
use lab::suite::Suite;

const SUITE: Suite = Suite {
    package: "level-1",
    folder: env!("CARGO_MANIFEST_DIR"),
    stands_on: &[],
    examples: &[
        "basic-cluster",
        "fork-and-wait",
        "single-thread-problem",
        "message-passing",
        "worker-events",
        "round-robin",
    ],
    at_once: "not waiting any longer",
    variants: &[
        ("round-robin", &["--share", "shared-listener"]),
        ("round-robin", &["--share", "reuse-port"]),
    ],
};

lab::every_example_keeps_the_contract!(SUITE);

/// Starts an example and waits until it is ready.
fn start(example: &str, args: &[&str]) -> Service {
    SUITE.start(example, args)
}
