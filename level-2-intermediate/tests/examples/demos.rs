//! No demo can hold when its claim is made false.

use crate::SUITE;

#[test]
fn graceful_shutdown_cannot_hold_when_its_claim_is_false() {
    breaks("graceful-shutdown", "--wrong=exit-at-once", "new connections are refused");
    breaks("graceful-shutdown", "--wrong=keep-idle", "an idle connection is closed");
}

#[test]
fn zero_downtime_reload_cannot_hold_when_its_claim_is_false() {
    breaks("zero-downtime-reload", "--wrong=all-at-once", "no request is lost");
    breaks("zero-downtime-reload", "--wrong=no-window", "no request is lost");
}

fn breaks(example: &str, falsehood: &str, broken: &str) {
    lab::contract::breaks(&SUITE, example, falsehood, broken);
}
