//! The lesson of `message-passing`, from outside.

use lab::wait_for;
use nix::sys::signal::Signal;

use crate::start;

#[test]
fn a_greeting_reaches_every_worker() {
    let mut service = start("message-passing", &["--workers", "4"]);
    service.get("/greet?text=Buenas").expect("answered");
    let workers = service.workers().expect("/proc is there");
    let mut convinced = Vec::new();
    wait_for("all of them to greet", || {
        for reply in service.get_at_once(16, "/").expect("answered") {
            if reply.body.starts_with("Buenas from worker") {
                convinced.push(reply.worker().expect("it names itself"));
            }
        }
        workers.iter().all(|worker| convinced.contains(worker)).then_some(())
    })
    .expect("all of them");
}

#[test]
fn a_death_inside_a_message_does_not_disturb_the_others() {
    let mut service = start("message-passing", &["--workers", "3"]);
    for left in [2, 1] {
        service.get("/garbage").expect("the worker itself goes on");
        service.get("/die").expect_err("its answer died with it");
        service.prints_times("12 bytes into a message", 3 - left).expect("it is reported");
        service.prints_times("exited with code 1", 3 - left).expect("it is reaped");
        let lines = service.narration();
        let last_of = |part: &str| lines.iter().rposition(|line| line.contains(part));
        assert!(last_of("bytes into a message") < last_of("exited with code 1"), "{lines:#?}");
        let workers = service.workers().expect("/proc is there");
        assert_eq!(workers.len(), left);
        service.all_answer(&workers).expect("the others answer");
    }
    service.get("/greet?text=Still").expect("answered");
    service.prints("every worker says \"Still\"").expect("the primary goes on, too");
}

#[test]
fn a_greeting_that_is_too_long_is_refused_without_harm() {
    let mut service = start("message-passing", &["--workers", "2"]);
    for _ in 0..5 {
        let refused = service.get(&format!("/greet?text={}", "x".repeat(1001))).expect("answered");
        assert_eq!(refused.status, 413);
        assert_eq!(refused.body, "a greeting has at most 1000 bytes\n");
        // Each of these becomes two bytes of JSON.
        service.get(&format!("/greet?text={}", "\\".repeat(1000))).expect("answered");
    }
    service.prints_times("every worker says", 5).expect("those that are allowed arrive");
    assert_eq!(service.workers().expect("/proc is there").len(), 2);
}

#[test]
fn a_message_without_an_end_costs_only_its_sender() {
    let mut service = start("message-passing", &["--workers", "2"]);
    let _ = service.get("/endless"); // its worker may be gone before it can answer
    service.prints("sends a message without an end").expect("there is a limit");
    service.prints("exited with code 1").expect("its channel is closed");
    let left = service.workers().expect("/proc is there");
    assert_eq!(left.len(), 1);
    service.all_answer(&left).expect("the other one goes on");
}

#[test]
fn a_worker_that_does_not_read_loses_only_its_own_channel() {
    let mut service = start("message-passing", &["--workers", "2"]);
    let hung = service.workers().expect("/proc is there")[0];
    service.signal(hung, Signal::SIGSTOP).expect("it runs");
    let closing = format!("primary: {hung} does not read its messages");
    let is_closed = || service.narration().iter().any(|line| line.contains(&closing));
    let path = format!("/greet?text={}", "x".repeat(1000));
    while !is_closed() {
        service.get(&path).expect("the other one answers");
    }
    service.signal(hung, Signal::SIGCONT).expect("it exists");
    service
        .prints(&format!("worker {hung} exited with code 1"))
        .expect("it is no longer of any use");
    service.get("/").expect("the other one goes on");
}

#[test]
fn a_worker_without_a_primary_to_talk_to_is_gone() {
    let mut service = start("message-passing", &["--workers", "2"]);
    service.end(Signal::SIGKILL).expect("none outlives its primary");
}
