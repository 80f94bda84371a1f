//! Scenarios 46 and 47: PID 1 of a container, and the role of a worker.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{FIXTURE, Program, Service, Start, children, exists, send, skip, state, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s46_pid_1_reaps_orphans_and_no_other_child", &[1, 3], orphans),
    ("s46_pid_1_passes_signals_and_the_exit_code_on", &[1], signals),
    ("s46_pid_1_whose_parent_ignores_sigchld_exits", &[1], ignored_sigchld),
    ("s46_worker_death_under_pid_1_is_reported_exactly", &[1], worker_dies),
    ("s47_process_that_inherits_the_role_is_not_a_worker", &[1], impostors),
    ("s47_orphaned_worker_does_not_become_a_primary", &[1], orphaned_worker),
];

/// The program as PID 1 of a pid namespace, and the pid that the host knows it by.
fn contained(workers: usize) -> (Service, u32) {
    contained_after(workers, "exec \"$0\"")
}

/// The same, after this shell script.
fn contained_after(workers: usize, script: &str) -> (Service, u32) {
    let unshare = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let can = Command::new("unshare").args(unshare).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        skip("this user cannot make a pid namespace (unshare --pid)");
    }
    let start = Start::workers(workers);
    let program = start.program().path();
    let mut start = start.path("unshare".into());
    start.command().args(unshare).args(["bash", "-c", script]).arg(program);
    let service = start.ready();
    let init = children(service.pid())[0];
    (service, init)
}

fn ends(mut service: Service, init: u32) {
    send(init, Signal::SIGTERM);
    let status = service.wait();
    assert!(status.success(), "{status}\n{}", service.log());
    assert!(!exists(init));
}

fn orphans(workers: usize) {
    let (mut service, init) = contained(workers);
    let primary = children(init);
    assert_eq!(primary.len(), 1, "the init has one child, the primary");
    for _ in 0..6 {
        assert_eq!(service.get("/orphans").body.trim(), "started");
    }
    let zombies = || children(init).into_iter().filter(|pid| state(*pid) == Some('Z')).count();
    let mut since = None;
    until("all orphans have exited", || {
        if zombies() > 0 {
            let since = *since.get_or_insert_with(Instant::now);
            assert!(since.elapsed() < Duration::from_secs(1), "an orphan remains a zombie");
        } else {
            since = None;
        }
        (children(init) == primary).then_some(())
    });
    service.get("/tell?run+children");
    let ran = service.event("Ran");
    assert_eq!((&ran["std"], &ran["tokio"]), (&3.into(), &4.into()), "their codes are their own");
    assert_eq!(service.get("/ask").body.trim(), "is_worker=false", "a child of a worker");
    ends(service, init);
}

fn signals(workers: usize) {
    let (mut service, init) = contained(workers);
    send(init, Signal::SIGHUP);
    service.event("ReloadFinished");
    send(init, Signal::SIGTTIN);
    assert_eq!(service.event("Scaled")["to"], workers + 1);
    send(init, Signal::SIGUSR1);
    service.logged("SIGUSR1 was ignored");
    ends(service, init);
    let (mut service, init) = contained(workers);
    send(children(init)[0], Signal::SIGKILL);
    assert_eq!(service.wait().code(), Some(137), "the code that a shell gives for SIGKILL");
}

/// Ignored signals are inherited, and without SIGCHLD nothing reports the exit of the primary.
fn ignored_sigchld(workers: usize) {
    let (service, init) = contained_after(workers, "trap '' CHLD; exec \"$0\"");
    ends(service, init);
}

fn worker_dies(workers: usize) {
    let (mut service, init) = contained(workers);
    let _ = service.connect().get("/exit?code=42"); // a worker that exits might not answer
    let exited = service.event("Exited");
    assert_eq!((&exited["code"], &exited["voluntary"]), (&42.into(), &false.into()));
    service.event("Listening");
    ends(service, init);
}

/// A shell that exports the variable with its own pid, and the child of a worker.
fn impostors(workers: usize) {
    let program = Program::new();
    let script = "CLUSTER_PRIMARY_PID=$$ \"$0\"; exit $?";
    let asked = Command::new("sh")
        .args(["-c", script])
        .arg(program.path())
        .envs([(FIXTURE, "1"), ("FIXTURE_ASK", "1")])
        .output()
        .expect("there is a shell");
    assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), "is_worker=false");
    let service = Start::workers(workers).ready();
    assert_eq!(service.get("/ask").body.trim(), "is_worker=false");
    service.stop();
}

/// The primary dies while a worker boots. The kernel does not kill the worker along with it, just
/// as after an `exec` of a program that changes its user. The worker reads its role later, and then
/// exits.
fn orphaned_worker(workers: usize) {
    let start = Start::workers(workers).env("FIXTURE_LATE", 1);
    let mut service = start.spawn();
    service.event("Spawned");
    let worker = until("the worker has started to boot", || {
        let late = service.program().folder().join("late");
        std::fs::read_to_string(late).ok()?.trim().parse::<u32>().ok()
    });
    service.signal(Signal::SIGKILL);
    service.wait();
    std::fs::write(service.program().folder().join("go"), "").expect("there is room");
    until("the orphan exits", || crate::lab::gone(worker).then_some(()));
    let lines = service.whole_log();
    assert!(
        !lines.contains("admin API on") || lines.matches("admin API on").count() == 1,
        "{lines}"
    );
}
