//! What all examples promise alike.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use lab::{Service, proc, wait_for};
use nix::sys::signal::Signal;

use crate::{EXAMPLES, bounded, launch, launch_with, program, run, start, stderr};

#[test]
fn help_names_the_options_of_the_contract() {
    for example in EXAMPLES {
        let output = run(example, &["--help"]);
        assert!(output.status.success(), "{example}");
        let help = String::from_utf8_lossy(&output.stdout);
        for word in ["--listen", "127.0.0.1:8000", "--workers", "CLUSTER_WORKERS", "--demo"] {
            assert!(help.contains(word), "{example} --help does not mention {word}:\n{help}");
        }
    }
}

#[test]
fn bad_arguments_get_a_sentence_and_start_nothing() {
    for example in EXAMPLES {
        for (args, advice) in [
            (["--workers", "0"], "whole number from 1 to 64"),
            (["--workers", "65"], "whole number from 1 to 64"),
            (["--workers", "two"], "whole number from 1 to 64"),
            (["--listen", "8000"], "such as 127.0.0.1:8000"),
            (["--listen", "localhost:http"], "such as 127.0.0.1:8000"),
            (["--listne", "127.0.0.1:0"], "--listen"),
            (["--wrong", "everything"], "possible values"),
            (["serve", "now"], "unexpected argument"),
        ] {
            let output = run(example, &args);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{example} {args:?}: {said}");
            assert!(
                said.starts_with("error: ") && said.contains(advice),
                "{example} {args:?}: {said}"
            );
            assert!(output.stdout.is_empty(), "{example} {args:?} wrote to stdout");
        }
    }
}

#[test]
fn the_environment_sets_the_number_of_workers_and_is_checked_too() {
    for example in EXAMPLES {
        let output = bounded(example).env("CLUSTER_WORKERS", "many").output().expect("it runs");
        let said = stderr(&output);
        assert!(
            said.contains("CLUSTER_WORKERS take a whole number from 1 to 64"),
            "{example}: {said}"
        );
    }
}

#[test]
fn a_taken_port_is_reported_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    for (example, more) in with_every_way() {
        let output = run(example, &[&["--listen", &address], more].concat());
        let said = stderr(&output);
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{example} {more:?}: {said}");
        assert!(
            last.starts_with(&format!("error: cannot listen on {address}: the port is taken")),
            "{said}"
        );
        assert!(
            last.contains("--listen 127.0.0.1:0"),
            "{example} {more:?} gives no advice: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
        assert!(output.stdout.is_empty(), "{example} {more:?} claims to be ready");
    }
}

#[test]
fn two_at_once_do_not_share_a_port_by_accident() {
    for (example, more) in with_every_way() {
        let first = start(example, more);
        let address = first.address().to_string();
        let second = run(example, &[&["--listen", &address], more].concat());
        assert!(stderr(&second).contains("the port is taken"), "{example} {more:?}");
        first.get("/").expect("the first one is not disturbed");
    }
}

#[test]
fn a_second_run_on_the_same_port_follows_at_once() {
    for (i, (example, more)) in with_every_way().into_iter().enumerate() {
        // An address that no other test uses, so that the port cannot be taken in between.
        let host = format!("127.77.7.{}", i + 1);
        let mut first = start(example, &[&["--listen", &format!("{host}:0")], more].concat());
        let address = first.address().to_string();
        first.get("/").expect("it answers");
        first.end(Signal::SIGTERM).expect("it ends");
        let second = start(example, &[&["--listen", &address], more].concat());
        second.get("/").unwrap_or_else(|error| panic!("{example} {more:?}: {error}"));
    }
}

#[test]
fn an_address_that_is_not_ours_is_reported() {
    for (example, more) in with_every_way() {
        let output = run(example, &[&["--listen", "192.0.2.1:0"], more].concat());
        assert!(stderr(&output).contains("this machine does not have that address"), "{example}");
        assert_eq!(output.status.code(), Some(1), "{example}");
    }
}

#[test]
fn ctrl_c_and_sigterm_end_everything_and_leave_nothing() {
    for (example, more) in with_every_way() {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let mut service = start(example, more);
            let status = service.end(signal).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert!(status.success(), "{example} {signal}: {status}");
        }
    }
}

#[test]
fn a_second_signal_does_not_wait_for_a_worker_that_hangs() {
    for (example, more) in with_every_way() {
        let mut service = start(example, more);
        let hung = service.workers().expect("/proc is there")[0];
        service.signal(hung, Signal::SIGSTOP).expect("it runs");
        service.signal(service.primary(), Signal::SIGTERM).expect("it runs");
        service.hears("stopping").expect("it has begun to stop");
        let status =
            service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{example}: {error}"));
        service.hears("not waiting any longer").expect("the second signal was heard");
        assert!(status.success(), "{example} {more:?}: {status}");
    }
}

#[test]
fn whatever_signals_were_ignored_before_it_can_be_stopped() {
    for (example, more) in with_every_way() {
        let mut service = launch_with("trap '' CHLD INT TERM HUP", example, more);
        let status = service.end(Signal::SIGTERM).unwrap_or_else(|e| panic!("{example}: {e}"));
        assert!(status.success(), "{example} {more:?}: {status}");
    }
}

#[test]
fn a_single_signal_ends_a_worker_that_hangs_when_its_time_is_up() {
    let mut service = start("basic-cluster", &["--workers", "2"]);
    let hung = service.workers().expect("/proc is there")[0];
    service.signal(hung, Signal::SIGSTOP).expect("it runs");
    let status = service.end(Signal::SIGTERM).expect("it does not wait for ever");
    service.hears(&format!("worker {hung} was killed by SIGKILL")).expect("nothing less helps");
    assert!(status.success(), "{status}");
}

#[test]
fn a_client_that_never_finishes_its_request_does_not_cost_the_worker_its_exit() {
    let mut service = start("basic-cluster", &["--workers", "1"]);
    let mut slow = TcpStream::connect(service.address()).expect("it listens");
    slow.write_all(b"GET / HT").expect("it reads");
    service.get("/").expect("the only worker has accepted both");
    let status = service.end(Signal::SIGTERM).expect("it ends");
    service.hears("gave up on requests that took too long").expect("by itself");
    service.hears("exited with code 0").expect("before its primary loses patience");
    assert!(status.success(), "{status}");
}

#[test]
fn without_descriptors_there_is_a_sentence_and_no_backtrace() {
    for (example, more) in with_every_way() {
        for limit in 4..12 {
            let limit = format!("ulimit -n {limit}; exec \"$0\" --listen 127.0.0.1:0 \"$@\"");
            let mut command = Command::new("sh");
            command.args(["-c", &limit]).arg(program(example)).args(more);
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
                let told =
                    line.starts_with("error: ") || line.starts_with(|c: char| c.is_ascii_digit());
                assert!(told && !line.contains("panicked"), "{example} {more:?} {limit}: {line}");
            }
        }
    }
}

#[test]
fn sigkill_of_the_primary_ends_the_workers() {
    for (example, more) in with_every_way() {
        let mut service = start(example, more);
        service.end(Signal::SIGKILL).unwrap_or_else(|error| panic!("{example} {more:?}: {error}"));
    }
}

#[test]
fn a_worker_ignores_the_ctrl_c_that_its_primary_gets() {
    for example in EXAMPLES {
        let mut service = start(example, &["--workers", "2"]);
        let workers = service.workers().expect("/proc is there");
        for worker in &workers {
            service.signal(*worker, Signal::SIGINT).expect("it runs");
        }
        service.get("/").expect("they answer");
        assert_eq!(service.workers().expect("/proc is there"), workers, "{example}");
    }
}

/// What Tokio opens in each worker: its poller and the waker of it, and the socket pair through
/// which signals arrive, one end of it twice.
const RUNTIME: [&str; 6] = ["eventfd", "eventpoll", "eventpoll", "socket", "socket", "socket"];

#[test]
fn nobody_has_descriptors_that_are_not_expected() {
    for (example, more, primary, worker) in [
        ("basic-cluster", "", "signalfd socket pipe pipe", "socket"),
        ("fork-and-wait", "", "signalfd", "socket"),
        ("single-thread-problem", "", "signalfd", "socket"),
        // Its end of the channel, and a second descriptor of it for the thread that reads.
        ("message-passing", "", "signalfd socket socket socket", "socket socket socket"),
        ("worker-events", "", "signalfd pipe pipe pipe", "socket pipe"),
        ("round-robin", "shared-listener", "signalfd", "socket"),
        ("round-robin", "reuse-port", "signalfd", "socket"),
        // No listener in a worker: its channel, and the descriptor of it that Tokio watches.
        ("round-robin", "hand-off", "signalfd socket socket socket socket", "socket socket"),
    ] {
        let share = if more.is_empty() { vec![] } else { vec!["--share", more] };
        let mut service = start(example, &[&["--workers", "3"], &share[..]].concat());
        let workers = service.workers().expect("/proc is there");
        let answered = service.all_answer(&workers).map(drop); // so each of them has started up
        answered.unwrap_or_else(|error| panic!("{example} {more}: {error}"));
        expect_descriptors(service.primary(), primary.split_whitespace().collect(), example);
        for pid in workers {
            let expected = worker.split_whitespace().chain(RUNTIME).collect();
            expect_descriptors(pid, expected, example);
        }
    }
}

/// Waits until `pid` has just `expected` beside its standard streams: connections take a moment to
/// be closed.
fn expect_descriptors(pid: i32, mut expected: Vec<&str>, example: &str) {
    expected.sort_unstable();
    let open = || {
        let open = proc::descriptors(pid).expect("it runs").into_iter().filter(|(fd, _)| *fd > 2);
        let mut kinds: Vec<String> = open.map(|(_, kind)| kind).collect();
        kinds.sort_unstable();
        kinds
    };
    wait_for("the expected descriptors", || (open() == expected).then_some(()))
        .unwrap_or_else(|_| panic!("{example} {pid}: expected {expected:?}, found {:?}", open()));
}

#[test]
fn a_program_that_is_not_ready_yet_can_be_stopped() {
    for (example, more) in with_every_way() {
        let mut service = launch(example, more);
        // Wherever this signal finds it, before or after its workers: it ends, and so do those that were there.
        service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

/// Each example, and each way in which one of them can share its port.
fn with_every_way() -> Vec<(&'static str, &'static [&'static str])> {
    let mut all: Vec<(&str, &[&str])> = EXAMPLES.map(|example| (example, &[] as &[&str])).to_vec();
    all.push(("round-robin", &["--share", "shared-listener"]));
    all.push(("round-robin", &["--share", "reuse-port"]));
    all
}
