//! The end of an example, which leaves nothing behind.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::suite::Suite;
use crate::{Service, proc, wait_for};

/// After either signal the primary exits with code 0, and all workers are gone.
pub fn ctrl_c_and_sigterm_end_everything_and_leave_nothing(suite: &Suite) {
    for (example, more) in suite.all() {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let mut service = suite.start(example, more);
            let status = service.end(signal).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert!(status.success(), "{example} {signal}: {status}");
        }
    }
}

/// The same signal again stops an example at once, unless it is an echo of the first one: an echo
/// arrives sooner.
pub fn a_second_signal_does_not_wait_for_a_worker_that_hangs(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.start(example, more);
        let hung = service.workers().expect("/proc is there")[0];
        service.signal(hung, Signal::SIGSTOP).expect("it runs");
        service.signal(service.primary(), Signal::SIGTERM).expect("it runs");
        service.prints("stopping").expect("it has begun to stop");
        sleep(Duration::from_millis(600)); // the gap is the input
        let status =
            service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{example}: {error}"));
        service.prints(suite.at_once).expect("the second signal was noticed");
        assert!(status.success(), "{example} {more:?}: {status}");
    }
}

/// Signals that the starting shell ignored do not matter.
pub fn whatever_signals_were_ignored_before_it_can_be_stopped(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.launch_with("trap '' CHLD INT TERM HUP", example, more);
        let status = service.end(Signal::SIGTERM).unwrap_or_else(|e| panic!("{example}: {e}"));
        assert!(status.success(), "{example} {more:?}: {status}");
    }
}

/// An example with too few descriptors reports that.
pub fn without_descriptors_there_is_a_sentence_and_no_backtrace(suite: &Suite) {
    for (example, more) in suite.all() {
        for limit in 4..12 {
            let limit = format!("ulimit -n {limit}; exec \"$0\" --listen 127.0.0.1:0 \"$@\"");
            let mut command = Command::new("sh");
            command.args(["-c", &limit]).arg(suite.program(example)).args(more);
            let mut service = Service::launch(command).expect("sh starts");
            let settled = || {
                let complaint = |line: &String| {
                    line.contains("oo many open files") || line.contains("ulimit -n")
                };
                let over = proc::gone(service.primary()) || service.ready_line().is_some();
                (over || service.narration().iter().any(complaint)).then_some(())
            };
            wait_for("an end, a ready line or a complaint", settled).unwrap_or_else(|_| {
                panic!("{example} {more:?} {limit}: {:?}", service.narration())
            });
            let _ = service.end(Signal::SIGTERM);
            for line in service.narration() {
                let clear =
                    line.starts_with("error: ") || line.starts_with(|c: char| c.is_ascii_digit());
                assert!(clear && !line.contains("panicked"), "{example} {more:?} {limit}: {line}");
            }
        }
    }
}

/// No worker outlives the primary.
pub fn sigkill_of_the_primary_ends_the_workers(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.start(example, more);
        service.end(Signal::SIGKILL).unwrap_or_else(|error| panic!("{example} {more:?}: {error}"));
    }
}

/// Workers leave SIGINT to their primary.
pub fn a_worker_ignores_the_ctrl_c_that_its_primary_gets(suite: &Suite) {
    for example in suite.examples {
        let mut service = suite.start(example, &["--workers", "2"]);
        let workers = service.workers().expect("/proc is there");
        for worker in &workers {
            service.signal(*worker, Signal::SIGINT).expect("it runs");
        }
        service.get("/").expect("they answer");
        assert_eq!(service.workers().expect("/proc is there"), workers, "{example}");
    }
}

/// SIGTERM stops an example at any point of its start.
pub fn a_program_that_is_not_ready_yet_can_be_stopped(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.launch(example, more);
        // The program exits, with all workers that it has started; it may not have started any yet.
        service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}
