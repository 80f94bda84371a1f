//! A demo fails if its claim is made false.

use crate::SUITE;

#[test]
fn basic_cluster_cannot_hold_when_its_claim_is_false() {
    breaks("basic-cluster", "--workers=1", "several workers answer on one port");
    breaks("basic-cluster", "--wrong=no-replacement", "a killed worker is replaced");
    breaks("basic-cluster", "--wrong=orphans", "none outlives a killed primary");
}

#[test]
fn fork_and_wait_cannot_hold_when_its_claim_is_false() {
    breaks("fork-and-wait", "--wrong=no-reap", "none is left at the end");
    breaks("fork-and-wait", "--wrong=close-on-exec", "one socket survives the exec");
}

#[test]
fn single_thread_problem_cannot_hold_when_its_claim_is_false() {
    breaks("single-thread-problem", "--workers=1", "1 heavy request: does not wait");
    breaks(
        "single-thread-problem",
        "--wrong=pool-forgotten",
        "spawn_blocking: /quick does not wait",
    );
}

#[test]
fn message_passing_cannot_hold_when_its_claim_is_false() {
    breaks("message-passing", "--wrong=one-read-one-message", "1000 messages in odd pieces arrive");
    breaks("message-passing", "--wrong=own-memory", "one worker's greeting reaches all of them");
}

#[test]
fn worker_events_cannot_hold_when_its_claim_is_false() {
    breaks(
        "worker-events",
        "--wrong=one-wait-per-signal",
        "three die at once, each exit is reported",
    );
}

#[test]
fn round_robin_cannot_hold_when_its_claim_is_false() {
    breaks("round-robin", "--wrong=keep-copy", "a connection ends with its worker");
    breaks("round-robin", "--wrong=first-only", "hand-off");
}

fn breaks(example: &str, falsehood: &str, broken: &str) {
    lab::contract::breaks(&SUITE, example, falsehood, broken);
}
