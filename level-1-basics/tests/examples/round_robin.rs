//! The lesson of `round-robin`, from outside.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;

use crate::start;

#[test]
fn every_worker_answers_in_each_way_of_sharing() {
    for way in ["shared-listener", "reuse-port", "hand-off"] {
        let mut service = start("round-robin", &["--share", way, "--workers", "4"]);
        let workers = service.workers().expect("/proc is there");
        let answered = service.all_answer(&workers);
        assert_eq!(answered.unwrap_or_else(|error| panic!("{way}: {error}")).len(), 4);
    }
}

#[test]
fn hand_off_takes_strict_turns_with_concurrent_clients_too() {
    let service = start("round-robin", &["--share", "hand-off", "--workers", "4"]);
    let mut shares: BTreeMap<i32, usize> = BTreeMap::new();
    for reply in service.get_at_once(40, "/").expect("all are answered") {
        *shares.entry(reply.worker().expect("it names itself")).or_default() += 1;
    }
    assert_eq!(shares.into_values().collect::<Vec<_>>(), [10; 4]);
}

#[test]
fn hand_off_passes_over_a_worker_that_has_died() {
    let mut service = start("round-robin", &["--share", "hand-off", "--workers", "3"]);
    let workers = service.workers().expect("/proc is there");
    // A worker that is still starting has a copy of its siblings' channels, and so of the victim's.
    service.all_answer(&workers).expect("each of them has started");
    let victim = workers[1];
    service.signal(victim, Signal::SIGKILL).expect("it ran");
    service.prints(&format!("worker {victim} was killed by SIGKILL")).expect("it is reaped");
    for _ in 0..12 {
        let answered = service.get("/").and_then(|reply| reply.worker());
        assert_ne!(answered.expect("no request is lost"), victim);
    }
}
