//! Each demo ends well, and cannot do so when its claim is made false.

use std::process::{Command, Stdio};

use lab::{proc, wait_for};

use crate::{EXAMPLES, bounded, program, run, stderr};

#[test]
fn every_demo_holds_what_it_claims() {
    for example in EXAMPLES {
        let output = run(example, &["--demo"]);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{example}:\n{table}\n{}", stderr(&output));
        assert!(table.contains("held") && !table.contains("BROKEN"), "{example}:\n{table}");
    }
}

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
    breaks("message-passing", "--wrong=own-memory", "what one worker hears, all of them say");
}

#[test]
fn worker_events_cannot_hold_when_its_claim_is_false() {
    breaks("worker-events", "--wrong=one-wait-per-signal", "three die at once, each exit is told");
}

#[test]
fn round_robin_cannot_hold_when_its_claim_is_false() {
    breaks("round-robin", "--wrong=keep-copy", "a connection ends with its worker");
    breaks("round-robin", "--wrong=first-only", "hand-off");
}

#[test]
fn a_demo_that_is_killed_leaves_nothing_behind() {
    for example in EXAMPLES {
        let mut demo = Command::new(program(example))
            .arg("--demo")
            .env_remove("CLUSTER_WORKERS")
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        let pid = demo.id().cast_signed();
        let below = wait_for("a service with its workers", || {
            let services = proc::children(pid).ok()?;
            let workers = proc::children(*services.first()?).ok()?;
            (workers.len() > 1).then(|| [services, workers].concat())
        });
        demo.kill().and_then(|()| demo.wait()).expect("our child");
        let gone = || below.as_ref().ok()?.iter().all(|pid| proc::gone(*pid)).then_some(());
        wait_for("all of it to end", gone).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

/// A demo passes its options on to what it starts, so it can be pointed at a wrong version: then the
/// row of that claim is broken, and the demo fails.
fn breaks(example: &str, falsehood: &str, broken: &str) {
    let mut demo = bounded(example);
    demo.args(["--demo", falsehood]).env("LAB_PATIENCE", "2"); // waiting does not make it true
    let output = demo.output().expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{example} {falsehood}:\n{table}{said}");
    let row = table.lines().find(|row| row.starts_with("BROKEN"));
    assert!(row.is_some_and(|row| row.contains(broken)), "{example} {falsehood}:\n{table}{said}");
}
