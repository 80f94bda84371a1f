//! The lesson of `graceful-shutdown`, from outside.

use lab::raw::Client;
use nix::sys::signal::Signal;

use crate::{SUITE, start};

#[test]
fn requests_in_flight_are_answered_for_each_signal() {
    for (workers, signal) in [("1", Signal::SIGTERM), ("4", Signal::SIGINT)] {
        let mut service = start("graceful-shutdown", &["--workers", workers]);
        let slow: Vec<_> = (0..8).map(|_| service.get_later("/slow?ms=3000")).collect();
        service.prints_times("begins a request of 3000 ms", 8).expect("all are worked on");
        let status = service.end(signal).expect("it ends");
        assert!(status.success(), "{workers} {signal}: {status}");
        for request in slow {
            let answer = request.join().expect("a client does not panic").expect("answered");
            assert_eq!(answer.status, 200);
            assert!(answer.closes, "the last answer of a connection is marked");
        }
    }
}

/// Acts like `printf … | nc -N`: sends the request and FIN, and then waits, even during the stop.
#[test]
fn a_client_that_half_closes_is_answered() {
    let mut service = start("graceful-shutdown", &["--workers", "2"]);
    let ask = |path: &str| {
        let mut client = Client::connect(&service.address().to_string()).expect("it listens");
        client.send(path).and_then(|()| client.half_close()).expect("it is sent");
        client
    };
    for _ in 0..40 {
        assert_eq!(ask("/").receive().expect("answered").status, 200);
    }
    let mut slow = ask("/slow?ms=1000");
    service.prints("begins a request of 1000 ms").expect("it is worked on");
    assert!(service.end(Signal::SIGTERM).expect("it ends").success());
    assert!(slow.receive().expect("answered").closes);
}

#[test]
fn only_a_post_stops_the_cluster() {
    let mut service = start("graceful-shutdown", &["--workers", "2"]);
    assert_eq!(service.get("/shutdown").expect("answered").status, 405);
    assert_eq!(service.get("/nothing").expect("answered").status, 404);
    let answer = service.connect().and_then(|mut client| client.post("/shutdown", ""));
    assert_eq!(answer.expect("answered").status, 202);
    assert!(service.ended().expect("it ends").success());
    service.prints("passes on a request to stop").expect("the primary was asked");
}

#[test]
fn worker_that_gets_sigterm_finishes_and_is_replaced() {
    let mut service = start("graceful-shutdown", &["--workers", "1"]);
    let worker = service.workers().expect("/proc is there")[0];
    let slow = service.get_later("/slow?ms=500");
    service.prints("begins a request of 500 ms").expect("it is worked on");
    service.signal(worker, Signal::SIGTERM).expect("it runs");
    service.prints(&format!("worker {worker} leaves: SIGTERM came")).expect("it is replaced");
    service.prints(&format!("worker {worker} accepts no more")).expect("it stops accepting");
    let next = service.get("/").and_then(|answer| answer.worker()).expect("its successor answers");
    assert_ne!(next, worker);
    let answer = slow.join().expect("a client does not panic").expect("answered");
    assert_eq!(answer.worker().expect("it names its worker"), worker);
    service.prints(&format!("worker {worker} exited with code 0, after")).expect("no crash");
}

#[test]
fn deadline_can_be_set_and_cuts_off_a_stuck_request() {
    let deadline = [("GRACEFUL_SHUTDOWN_TIMEOUT", "200ms")];
    let mut service = SUITE.start_with(&deadline, "graceful-shutdown", &["--workers", "1"]);
    let stuck = service.get_later("/slow?ms=60000");
    service.prints("begins a request of 60000 ms").expect("it is worked on");
    assert!(service.end(Signal::SIGTERM).expect("it does not wait for a minute").success());
    stuck.join().expect("a client does not panic").expect_err("its answer never came");
    service.prints("the deadline has passed; open requests are cut off").expect("it is reported");
}

#[test]
fn invalid_setting_is_reported_before_anything_starts() {
    let mut command = SUITE.bounded("graceful-shutdown");
    let output = command.env("GRACEFUL_SHUTDOWN_TIMEOUT", "soon").output().expect("it runs");
    let said = lab::suite::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.contains("GRACEFUL_SHUTDOWN_TIMEOUT"), "{said}");
    assert!(output.stdout.is_empty(), "it is not ready");
}
