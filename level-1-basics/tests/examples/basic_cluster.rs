//! The lesson of `basic-cluster`, from outside.

use std::collections::BTreeSet;

use lab::raw::Client;
use lab::{proc, wait_for};
use nix::sys::signal::Signal;

use crate::{SUITE, start};

#[test]
fn pids_differ_and_cover_all_workers() {
    let mut cluster = start("basic-cluster", &["--workers", "4"]);
    let workers = cluster.workers().expect("/proc is there");
    let answered = cluster.all_answer(&workers).expect("every request is answered");
    assert_eq!(answered, BTreeSet::from_iter(workers), "just the workers, and not the primary");
    assert_eq!(answered.len(), 4);
}

#[test]
fn a_kept_alive_connection_stays_with_one_worker() {
    let cluster = start("basic-cluster", &["--workers", "4"]);
    let mut browser = cluster.connect().expect("it listens");
    let mut refresh = || browser.get("/").and_then(|reply| reply.worker()).expect("answered");
    let first = refresh();
    assert!((0..50).all(|_| refresh() == first));
}

/// The client sends its request and a FIN, and then waits for the answer, like `printf … | nc -N`.
#[test]
fn a_client_that_half_closes_is_answered() {
    let cluster = start("basic-cluster", &["--workers", "2"]);
    for _ in 0..40 {
        let mut client = Client::connect(&cluster.address().to_string()).expect("it listens");
        client.send("/").and_then(|()| client.half_close()).expect("it is sent");
        assert_eq!(client.receive().expect("answered").status, 200);
    }
}

#[test]
fn a_killed_worker_is_replaced_while_the_service_answers() {
    for workers in ["1", "2", "4"] {
        let mut cluster = start("basic-cluster", &["--workers", workers]);
        let before = cluster.workers().expect("/proc is there");
        for victim in &before {
            cluster.signal(*victim, Signal::SIGKILL).expect("it ran");
            for _ in 0..10 {
                let answered = cluster.get("/").and_then(|reply| reply.worker());
                assert_ne!(answered.expect("no request is lost"), *victim);
            }
            cluster.replaced(*victim, before.len()).expect("a replacement");
        }
        let after = cluster.workers().expect("/proc is there");
        assert!(after.iter().all(|pid| !before.contains(pid)), "{before:?} became {after:?}");
        cluster.all_answer(&after).expect("the replacements answer");
        assert_eq!(proc::zombies(cluster.primary()).expect("/proc is there"), [0; 0]);
        assert!(!cluster.narration().iter().any(|line| line.contains("next try in")), "no pause");
    }
}

#[test]
fn many_deaths_at_once_leave_no_zombie() {
    let mut cluster = start("basic-cluster", &["--workers", "8"]);
    for _ in 0..5 {
        let victims = cluster.workers().expect("/proc is there");
        for victim in &victims {
            cluster.signal(*victim, Signal::SIGKILL).expect("it ran");
        }
        wait_for("eight new workers", || {
            let workers = cluster.workers().ok()?;
            let new = workers.iter().all(|pid| !victims.contains(pid));
            (new && workers.len() == 8).then_some(())
        })
        .expect("all are replaced");
        let workers = cluster.workers().expect("/proc is there");
        cluster.all_answer(&workers).expect("all of them answer");
    }
    assert_eq!(proc::zombies(cluster.primary()).expect("/proc is there"), [0; 0]);
}

#[test]
fn workers_that_crash_at_boot_are_not_a_fork_bomb() {
    let mut cluster =
        SUITE.launch("basic-cluster", &["--workers", "2", "--wrong", "crash-at-boot"]);
    cluster.prints_times("next try in 1 s", 4).expect("it pauses");
    let narration = cluster.narration();
    let mut forks = vec![0];
    for line in &narration {
        if line.contains("next try in") {
            forks.push(0);
        } else if line.contains("forked worker") {
            *forks.last_mut().expect("never empty") += 1;
        }
    }
    // Three deaths come before the first pause, and at most one attempt for each worker between two.
    assert!(
        forks[0] <= 4 && forks[1..].iter().all(|forks| *forks <= 2),
        "{forks:?}:\n{narration:#?}"
    );
    let status = cluster.end(Signal::SIGTERM).expect("it can be stopped all the same");
    assert!(status.success(), "{status}");
}

#[test]
fn a_primary_started_with_sigchld_ignored_replaces_workers() {
    let mut cluster = SUITE.launch_with("trap '' CHLD", "basic-cluster", &["--workers", "2"]);
    let victim = cluster.workers().expect("/proc is there")[0];
    cluster.signal(victim, Signal::SIGKILL).expect("it ran");
    cluster.replaced(victim, 2).expect("a replacement");
}

#[test]
fn a_hung_worker_dies_with_its_primary_all_the_same() {
    let mut cluster = start("basic-cluster", &["--workers", "2"]);
    let hung = cluster.workers().expect("/proc is there")[0];
    cluster.signal(hung, Signal::SIGSTOP).expect("it runs");
    cluster.end(Signal::SIGKILL).expect("none outlives its primary");
}
