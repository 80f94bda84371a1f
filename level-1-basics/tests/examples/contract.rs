//! The promises of this level's examples, in addition to the contract of all examples.

use std::io::Write;
use std::net::TcpStream;

use lab::{proc, wait_for};
use nix::sys::signal::Signal;

use crate::start;

#[test]
fn a_single_signal_ends_a_hung_worker_when_its_time_is_up() {
    let mut service = start("basic-cluster", &["--workers", "2"]);
    let hung = service.workers().expect("/proc is there")[0];
    service.signal(hung, Signal::SIGSTOP).expect("it runs");
    let status = service.end(Signal::SIGTERM).expect("it does not wait forever");
    service.prints(&format!("worker {hung} was killed by SIGKILL")).expect("nothing less helps");
    assert!(status.success(), "{status}");
}

#[test]
fn an_unfinished_request_does_not_keep_a_worker_from_exiting() {
    let mut service = start("basic-cluster", &["--workers", "1"]);
    let mut slow = TcpStream::connect(service.address()).expect("it listens");
    slow.write_all(b"GET / HT").expect("it reads");
    service.get("/").expect("the only worker has accepted both");
    let status = service.end(Signal::SIGTERM).expect("it ends");
    service.prints("gave up on requests that took too long").expect("by itself");
    service.prints("exited with code 0").expect("before its primary kills it");
    assert!(status.success(), "{status}");
}

/// The descriptors that Tokio opens in each worker: its poller, the waker of the poller, and the socket
/// pair through which signals arrive, one end of the pair twice.
const RUNTIME: [&str; 6] = ["eventfd", "eventpoll", "eventpoll", "socket", "socket", "socket"];

#[test]
fn no_process_has_unexpected_descriptors() {
    for (example, more, primary, worker) in [
        ("basic-cluster", "", "signalfd socket pipe pipe", "socket"),
        ("fork-and-wait", "", "signalfd", "socket"),
        ("single-thread-problem", "", "signalfd", "socket"),
        // Its end of the channel, and a second descriptor of that end for the thread that reads.
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

/// Waits until `pid` has only `expected` besides its standard streams: connections take a moment to
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
