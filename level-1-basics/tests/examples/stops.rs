//! One stop that arrives in several ways is one request, and no other signal ends a server.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::raw::Client;
use lab::{Service, wait_for};
use level_1::signals::StopRequest;
use nix::sys::signal::Signal;

use crate::{SUITE, start};

/// The signals that ask a primary to stop.
const REQUESTS: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP];

/// The signals that end or suspend a process of this level, as they do with any other program.
const FATAL: [Signal; 12] = [
    Signal::SIGKILL,
    Signal::SIGSTOP,
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
    Signal::SIGSYS,
    Signal::SIGTRAP,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

const GAPS: [u64; 4] = [0, 5, 20, 50];

/// The shortest gap at which a primary reads two signals one by one.
const SEPARATE: Duration = Duration::from_millis(100);

#[test]
fn a_stop_that_each_process_gets_loses_no_request() {
    for (example, more) in SUITE.all() {
        stop_each(example, more, Duration::from_millis(5), |primary, workers| {
            [&[primary], workers].concat()
        });
    }
}

#[test]
fn a_stop_that_each_process_gets_may_come_in_any_order() {
    let orders = [
        |primary: i32, workers: &[i32]| [&[primary], workers].concat(),
        |primary: i32, workers: &[i32]| [workers, &[primary]].concat(),
        |primary: i32, workers: &[i32]| [&workers[..1], &[primary], &workers[1..]].concat(),
        |primary: i32, workers: &[i32]| [workers, &[primary], workers].concat(),
    ];
    for order in orders {
        for gap in GAPS {
            stop_each("basic-cluster", &["--workers", "3"], Duration::from_millis(gap), order);
        }
    }
}

/// Sends SIGTERM to the processes in this order, while a request is in flight for each of 8 clients.
fn stop_each(example: &str, more: &[&str], gap: Duration, order: impl Fn(i32, &[i32]) -> Vec<i32>) {
    let mut service = start(example, more);
    let clients = begin_requests(&service, 8);
    let workers = service.workers().expect("/proc is there");
    for (i, pid) in order(service.primary(), &workers).into_iter().enumerate() {
        sleep(if i == 0 { Duration::ZERO } else { gap }); // the gap is the input
        let _ = service.signal(pid, Signal::SIGTERM); // an idle worker has ended at the first one
    }
    service.prints("stopping").expect("the primary has read its signal");
    finish_requests(clients);
    ends_well(&mut service, &format!("{example} {more:?} {gap:?}"));
}

#[test]
fn a_stop_that_arrives_twice_is_one_request() {
    for (first, second) in [
        (Signal::SIGTERM, Signal::SIGTERM),
        (Signal::SIGINT, Signal::SIGINT),
        (Signal::SIGINT, Signal::SIGTERM),
        (Signal::SIGTERM, Signal::SIGINT),
        (Signal::SIGQUIT, Signal::SIGTERM),
    ] {
        for gap in [0, 5, 100, 400] {
            let mut tries = 0..10; // the machine may be too slow for a gap
            let in_time = tries.any(|_| is_one_request(first, second, Duration::from_millis(gap)));
            assert!(in_time, "two signals take more than {gap} ms, ten times");
        }
    }
}

#[test]
fn another_signal_is_part_of_the_request_at_any_gap() {
    assert!(is_one_request(Signal::SIGTERM, Signal::SIGINT, Duration::from_millis(700)));
    assert!(is_one_request(Signal::SIGINT, Signal::SIGTERM, Duration::from_millis(700)));
}

/// Claims that the second signal ends nothing; false if the machine was too slow for this gap.
fn is_one_request(first: Signal, second: Signal, gap: Duration) -> bool {
    let mut service = start("basic-cluster", &["--workers", "2"]);
    let clients = begin_requests(&service, 4);
    let took = signal_twice(&service, first, second, gap);
    if first == second && took + Duration::from_millis(50) > StopRequest::ECHO {
        return false;
    }
    wait_for("the primary to read them", || nothing_pending(service.primary()).then_some(()))
        .expect("it waits for signals");
    service.prints("stopping").expect("it has begun to stop");
    if gap >= SEPARATE {
        service.prints(&format!("{second} is part of the same request")).expect("it is logged");
    }
    finish_requests(clients);
    ends_well(&mut service, &format!("{first} {second} {gap:?}"));
    true
}

#[test]
fn the_same_signal_after_700_ms_ends_it_at_once() {
    for signal in REQUESTS {
        let mut service = start("basic-cluster", &["--workers", "2"]);
        let clients = begin_requests(&service, 4);
        signal_twice(&service, signal, signal, Duration::from_millis(700));
        let status = service.ended().expect("it ends");
        service.prints("not waiting any longer").expect("it no longer waits");
        assert!(status.success(), "{signal}: {status}");
        for mut client in clients {
            client.receive().expect_err("cut off");
        }
    }
}

#[test]
fn each_request_to_stop_is_graceful() {
    for signal in REQUESTS {
        let mut service = start("basic-cluster", &["--workers", "2"]);
        let clients = begin_requests(&service, 4);
        service.signal(service.primary(), signal).expect("it runs");
        service.prints("stopping").expect("it has begun to stop");
        finish_requests(clients);
        ends_well(&mut service, signal.as_str());
    }
}

#[test]
fn no_other_signal_ends_a_primary_or_a_worker() {
    for (example, more) in SUITE.all() {
        let mut service = start(example, more);
        let clients = begin_requests(&service, 8);
        for worker in service.workers().expect("/proc is there") {
            for signal in harmless(&[Signal::SIGTERM]) {
                service.signal(worker, signal).expect("it runs");
            }
        }
        for signal in harmless(&REQUESTS) {
            service.signal(service.primary(), signal).expect("it runs");
        }
        finish_requests(clients);
        let status = service.end(Signal::SIGTERM).expect("it ends");
        assert!(status.success(), "{example}: {status}");
        no_worker_was_killed(&service, example);
    }
}

/// All standard signals but those that end a process and those of `but`.
fn harmless(but: &[Signal]) -> impl Iterator<Item = Signal> {
    Signal::iterator().filter(move |signal| !FATAL.contains(signal) && !but.contains(signal))
}

#[test]
fn a_program_under_nohup_survives_its_terminal() {
    let mut service = SUITE.launch_with("trap '' HUP", "basic-cluster", &["--workers", "2"]);
    service.signal(service.primary(), Signal::SIGHUP).expect("it runs");
    let victim = service.workers().expect("/proc is there")[0];
    service.signal(victim, Signal::SIGKILL).expect("it runs");
    service.replaced(victim, 2).expect("the primary reads its signals, and goes on");
}

/// Clients that have sent half of their request, which a worker has read.
fn begin_requests(service: &Service, n: usize) -> Vec<Client> {
    let begin = |_| {
        let mut client = Client::connect(&service.address().to_string()).expect("it listens");
        client.write(b"GET / HTTP/1.1\r\nhost: ").expect("it is open");
        client
    };
    let clients: Vec<Client> = (0..n).map(begin).collect();
    for (what, side, queue) in [("to arrive", 2, 0), ("to be read", 1, 1)] {
        let empty = || empty_queues(service.address().port(), side, queue);
        wait_for(&format!("{n} half requests {what}"), || (empty() == n).then_some(()))
            .unwrap_or_else(|error| {
                panic!("{error}; {} of them: {:#?}", empty(), service.narration())
            });
    }
    clients
}

/// Sends the other half of each request, and expects the answer.
fn finish_requests(clients: Vec<Client>) {
    for mut client in clients {
        client.write(b"test\r\n\r\n").expect("it is open");
        assert_eq!(client.receive().expect("answered, not cut").status, 200);
    }
}

/// Counts the connections with `port` in this column that have an empty queue: of bytes sent and not
/// acknowledged (0), or of bytes arrived and not read (1). See `man 5 proc`, `/proc/net/tcp`.
fn empty_queues(port: u16, side: usize, queue: usize) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc is there");
    let port = format!(":{port:04X}");
    let is_empty = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let established = fields[side].ends_with(&port) && fields[3] == "01";
        established && fields[4].split(':').nth(queue) == Some("00000000")
    };
    table.lines().skip(1).filter(is_empty).count()
}

/// Sends both signals to the primary; returns how far apart they were at most. If there is time, the
/// primary has read the first one before; otherwise both may be pending, and read, together.
fn signal_twice(service: &Service, first: Signal, second: Signal, gap: Duration) -> Duration {
    let begin = Instant::now();
    service.signal(service.primary(), first).expect("it runs");
    if gap >= SEPARATE {
        service.prints("stopping").expect("it has read the first one");
    }
    sleep(gap.saturating_sub(begin.elapsed())); // the gap is the input
    service.signal(service.primary(), second).expect("it runs");
    begin.elapsed()
}

/// Returns whether `pid` has read all signals that it got.
fn nothing_pending(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    status.lines().any(|line| line == "ShdPnd:\t0000000000000000")
}

fn ends_well(service: &mut Service, what: &str) {
    let status = service.ended().expect("it ends");
    assert!(status.success(), "{what}: {status}");
    no_worker_was_killed(service, what);
}

fn no_worker_was_killed(service: &Service, what: &str) {
    service.prints("goodbye").expect("its last line");
    let experiment = |line: &String| line.contains("1 ends: child"); // of fork-and-wait
    let killed = |line: &String| line.contains("was killed") && !experiment(line);
    assert_eq!(service.narration().into_iter().find(killed), None, "{what}");
}
