//! Scenarios 52 to 56: environments and programs that do harm unintentionally.

use std::io;
use std::os::unix::process::CommandExt;

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal, sigprocmask};
use nix::unistd::Pid;

use super::Scenario;
use crate::lab::{Start, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s52_signals_were_blocked", &[1], blocked_signals),
    ("s53_hang_up_reaches_the_workers_too", &[1, 3], hang_up_for_all),
    ("s54_nohup_outlives_the_terminal", &[1], nohup),
    ("s55_metrics_that_fill_more_than_a_frame", &[1], too_many_metrics),
    ("s56_a_new_slot_is_never_ready", &[3], stuck_slot),
];

/// The parent process may have blocked signals, and `exec` keeps the mask.
fn blocked_signals(workers: usize) {
    let mut start = Start::workers(workers);
    let block = || Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?);
    before_exec(&mut start, block);
    let service = start.ready();
    service.stop();
}

/// `pkill -HUP app`: the primary reloads, and its workers are unaffected.
fn hang_up_for_all(workers: usize) {
    let mut service = Start::workers(workers).ready();
    for sent in [Signal::SIGHUP, Signal::SIGUSR2, Signal::SIGINT, Signal::SIGTTIN, Signal::SIGTTOU]
    {
        for pid in service.worker_pids() {
            kill(Pid::from_raw(pid.cast_signed()), sent).expect("it exists");
        }
    }
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    let crashed =
        |event: &serde_json::Value| event["event"] == "Exited" && !event["signal"].is_null();
    let dead: Vec<_> = service.events().into_iter().filter(crashed).collect();
    assert!(dead.is_empty(), "{dead:?}");
    service.stop();
}

/// With SIGHUP ignored at the start, closing the terminal does not stop the cluster.
fn nohup(workers: usize) {
    let mut start = Start::workers(workers);
    #[allow(unsafe_code)]
    let ignore = || {
        // SAFETY: ignoring a signal runs no handler.
        unsafe { signal(Signal::SIGHUP, SigHandler::SigIgn) }.map(drop).map_err(io::Error::from)
    };
    before_exec(&mut start, ignore);
    let (mut service, terminal) = start.on_a_terminal();
    service.serving();
    terminal.close();
    // By this time the kernel has sent its signal. A later signal comes from an operator.
    until("it has seen that the terminal is gone", || {
        service.signal(Signal::SIGHUP);
        service.events().iter().any(|event| event["event"] == "ReloadFinished").then_some(())
    });
    assert_eq!(service.get("/").status, 200);
    service.stop();
}

/// A worker whose labels are too long for its reports still counts as alive.
fn too_many_metrics(workers: usize) {
    let service = Start::workers(workers).env("HEALTH_REPORT_INTERVAL", "2s").ready();
    service.get("/labels");
    // More reports than a worker is allowed to miss.
    let reports = || service.log().matches("the metrics are not reported").count();
    until("it keeps reporting", || (reports() >= 3).then_some(()));
    let unhealthy = service.events().into_iter().find(|event| event["event"] == "Unhealthy");
    assert_eq!(unhealthy, None);
    service.stop();
}

/// With `SO_REUSEPORT`, a socket gets its share as soon as it listens, not only when a worker
/// accepts from it.
fn stuck_slot(workers: usize) {
    for at_the_start in [false, true] {
        let stuck = if at_the_start { workers - 1 } else { workers };
        let start = Start::workers(workers).env("CLUSTER_SHARING", "reuse-port");
        let mut service = start.env("FIXTURE_STUCK_SLOT", stuck).spawn();
        for _ in 0..stuck {
            let listening = service.event("Listening");
            listening["addresses"][0].as_str().expect("text").clone_into(&mut service.address);
        }
        if !at_the_start {
            service.signal(Signal::SIGTTIN);
            service.event_where("Online", |event| event["worker"] == workers + 1);
        }
        for _ in 0..40 {
            assert_eq!(service.get("/").status, 200);
        }
        service.stop();
    }
}

#[allow(unsafe_code)]
fn before_exec(start: &mut Start, prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: each closure given here makes one system call, and allocates nothing.
    unsafe { start.command().pre_exec(prepare) };
}
