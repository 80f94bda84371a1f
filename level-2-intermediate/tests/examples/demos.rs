//! A demo fails if its claim is made false.

use crate::SUITE;

#[test]
fn graceful_shutdown_cannot_hold_when_its_claim_is_false() {
    breaks("graceful-shutdown", "--wrong=exit-at-once", "requests in flight are answered");
    breaks("graceful-shutdown", "--wrong=keep-idle", "an idle connection is closed");
}

#[test]
fn health_checks_cannot_hold_when_its_claim_is_false() {
    breaks("health-checks", "--wrong=judge-by-requests", "an idle worker is left alone");
    breaks("health-checks", "--wrong=heart-elsewhere", "a looping worker is unhealthy");
    breaks("health-checks", "--wrong=kill-at-the-limit", "its request is answered");
}

#[test]
fn restart_strategies_cannot_hold_when_its_claim_is_false() {
    breaks("restart-strategies", "--wrong=fork-bomb", "a crash loop is slowed down and reported");
    breaks("restart-strategies", "--wrong=no-jitter", "those that died together wait different");
    breaks(
        "restart-strategies",
        "--wrong=restart-all",
        "a worker that was stopped is not replaced",
    );
}

#[test]
fn zero_downtime_reload_cannot_hold_when_its_claim_is_false() {
    breaks("zero-downtime-reload", "--wrong=all-at-once", "no request is lost");
    breaks("zero-downtime-reload", "--wrong=no-window", "no request is lost");
}

#[test]
fn ipc_broadcast_cannot_hold_when_its_claim_is_false() {
    breaks("ipc-broadcast", "--wrong=own-memory", "a notice to one worker reaches all");
    breaks("ipc-broadcast", "--wrong=born-ignorant", "a new worker asks for the earlier notices");
    breaks("ipc-broadcast", "--wrong=no-limit", "the question ends");
    breaks("ipc-broadcast", "--wrong=ask-in-turn", "notices still arrive");
}

#[test]
fn redis_counter_cannot_hold_when_its_claim_is_false() {
    breaks("redis-counter", "--wrong=load-store", "shared memory: all, exactly");
}

fn breaks(example: &str, falsehood: &str, broken: &str) {
    lab::contract::breaks(&SUITE, example, falsehood, broken);
}
