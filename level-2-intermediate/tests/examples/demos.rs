//! No demo can hold when its claim is made false.

use crate::SUITE;

#[test]
fn graceful_shutdown_cannot_hold_when_its_claim_is_false() {
    breaks("graceful-shutdown", "--wrong=exit-at-once", "new connections are refused");
    breaks("graceful-shutdown", "--wrong=keep-idle", "an idle connection is closed");
}

#[test]
fn ipc_broadcast_cannot_hold_when_its_claim_is_false() {
    breaks("ipc-broadcast", "--wrong=own-memory", "what one worker is told, all know");
    breaks("ipc-broadcast", "--wrong=born-ignorant", "who is born later asks what was said");
    breaks("ipc-broadcast", "--wrong=no-limit", "the question ends");
    breaks("ipc-broadcast", "--wrong=ask-in-turn", "others are told meanwhile");
}

#[test]
fn redis_counter_cannot_hold_when_its_claim_is_false() {
    breaks("redis-counter", "--wrong=load-store", "shared memory: all, exactly");
    if lab::RedisServer::for_test().is_some() {
        breaks("redis-counter", "--wrong=get-set", "Redis, INCR: all, exactly");
        breaks("redis-counter", "--wrong=patient", "Redis is killed: 503, and fast");
    }
}

fn breaks(example: &str, falsehood: &str, broken: &str) {
    lab::contract::breaks(&SUITE, example, falsehood, broken);
}
