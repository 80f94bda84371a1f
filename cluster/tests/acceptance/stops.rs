//! Scenarios 40 and 41: a stop arrives as service managers, wrappers and people send it.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Scenario;
use super::life::pid_of;
use super::reload::{held, release};
use crate::lab::{Client, Service, Start, queued, send, state, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s40_stop_of_the_whole_tree_loses_nothing_inherited", &[1, 3], tree_inherited),
    ("s40_stop_of_the_whole_tree_loses_nothing_reuse_port", &[1, 3], tree_reuse_port),
    ("s40_stop_of_the_whole_tree_loses_nothing_hand_off", &[1, 3], tree_hand_off),
    ("s40_term_does_not_hurry_a_worker_that_drains", &[1, 3], term_in_a_reload),
    ("s40_term_does_not_hurry_a_worker_during_a_scale_down", &[2], term_in_a_scale_down),
    ("s40_worker_that_gets_term_is_replaced_first", &[1, 3], replaced_first),
    ("s40_worker_keeps_serving_until_its_successor_is_ready", &[1, 3], slow_successor),
    ("s40_worker_leaves_on_its_own_when_the_primary_hangs", &[2], primary_hangs),
    ("s40_queue_of_a_busy_worker_is_served_during_a_stop", &[1, 3], busy),
    ("s41_stop_that_arrives_twice_is_one_request", &[1, 3], twice),
    ("s41_busy_loop_does_not_turn_one_stop_into_impatience", &[1], busy_loop),
    ("s41_int_and_term_are_one_request", &[1, 3], int_and_term),
];

/// Requests in flight when a stop arrives.
const FLIGHT: usize = 16;

/// The signals of one stop: each with its process and the time since the previous signal.
type Volley = Vec<(Signal, u32, Duration)>;

/// The number of stops of each kind; `STOPS=200` plays more of them.
fn stops() -> usize {
    std::env::var("STOPS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// One stop: all requests in flight are answered, and the exit code is 0.
fn stop(workers: usize, sharing: &str, volley: impl Fn(&Service) -> Volley) {
    let mut service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
    let volley = volley(&service);
    let mut clients: Vec<Client> = (0..FLIGHT).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/slow?ms=200").expect("it is sent");
    }
    for &(signal, pid, gap) in &volley {
        sleep(gap); // the input is the gap
        let pid = Pid::from_raw(i32::try_from(pid).expect("it is a pid"));
        let _ = kill(pid, signal); // an idle worker may already have left
    }
    let lost = losses(clients);
    assert_eq!(lost, 0, "of {FLIGHT} with {sharing}, {volley:?}\n{}", service.log());
    let status = service.wait();
    assert!(status.success(), "{status} with {sharing}, {volley:?}");
}

/// The number of clients without an answer. Each client then closes its connection, as the server
/// has asked.
fn losses(clients: Vec<Client>) -> usize {
    clients.into_iter().filter_map(|mut client| client.receive().err()).count()
}

fn tree_inherited(workers: usize) {
    tree(workers, "inherited");
}

fn tree_reuse_port(workers: usize) {
    tree(workers, "reuse-port");
}

fn tree_hand_off(workers: usize) {
    tree(workers, "hand-off");
}

/// TERM to the primary and to each worker, as systemd sends it, in every order.
fn tree(workers: usize, sharing: &str) {
    for (round, gap) in (0..stops()).zip([0, 5, 20, 50].into_iter().cycle()) {
        stop(workers, sharing, |service| {
            let mut pids = service.worker_pids();
            let place = [0, pids.len(), pids.len() / 2, 1][(round / 4 + round) % 4];
            pids.insert(place.min(pids.len()), service.pid());
            let gaps = [0, gap].into_iter().chain(std::iter::repeat(gap));
            let gaps = gaps.map(Duration::from_millis);
            pids.into_iter().zip(gaps).map(|(pid, gap)| (Signal::SIGTERM, pid, gap)).collect()
        });
    }
}

fn term_in_a_reload(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let mut service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
        let old = service.worker_pids();
        let mut slow = service.connect();
        slow.send("/hold?name=slow").expect("it is sent");
        held(&mut service, "slow");
        service.signal(Signal::SIGHUP);
        service.event("ReloadFinished");
        twice_to_each(&old);
        release(&service, "slow");
        assert_eq!(slow.receive().expect("it is finished").status, 200, "{sharing}");
        service.stop();
    }
}

fn term_in_a_scale_down(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let mut service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
        let mut held_by = Vec::new();
        let clients: Vec<Client> = (0..8)
            .map(|number| {
                let mut client = service.connect();
                client.send(&format!("/hold?name={number}")).expect("it is sent");
                held(&mut service, &number.to_string());
                client
            })
            .collect();
        held_by.extend(service.worker_pids());
        service.signal(Signal::SIGTTOU);
        service.event("Draining");
        twice_to_each(&held_by);
        for (number, mut client) in clients.into_iter().enumerate() {
            release(&service, &number.to_string());
            assert_eq!(client.receive().expect("it is finished").status, 200, "{sharing}");
        }
        service.stop();
    }
}

/// TERM, and TERM again after a time at which it used to count as impatience.
fn twice_to_each(pids: &[u32]) {
    for _ in 0..2 {
        for &pid in pids {
            // An idle worker has already left, or is just leaving.
            let _ = kill(Pid::from_raw(i32::try_from(pid).expect("it is a pid")), Signal::SIGTERM);
        }
        sleep(Duration::from_millis(600)); // the input is the gap
    }
}

/// The capacity stays the same while a worker is replaced.
fn replaced_first(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let old = pid_of(&service.get("/"));
    send(old, Signal::SIGTERM);
    let draining = service.event("Draining");
    assert_eq!(draining["why"], "Terminated");
    let listening = |event: &serde_json::Value| event["event"] == "Listening";
    let ready = service.events().into_iter().filter(listening).count();
    assert_eq!(ready, workers + 1, "its successor was ready before it started to leave");
    let exited = service.event("Exited");
    assert_eq!((&exited["pid"], &exited["code"]), (&old.into(), &0.into()));
    assert_eq!(exited["voluntary"], true);
    service.stop();
}

/// Its successor takes longer to start than a worker waits for a hung primary to answer.
fn slow_successor(workers: usize) {
    let mut service = Start::workers(workers).env("WORKER_READY_TIMEOUT", "3s").ready();
    let old = service.worker_pids();
    let broken = service.program().folder().join("broken");
    fs::write(&broken, "hangs").expect("there is room");
    for &pid in &old {
        send(pid, Signal::SIGTERM);
    }
    service.event("Unhealthy"); // the first successor, after three seconds
    for _ in 0..4 * workers {
        assert!(old.contains(&pid_of(&service.get("/"))), "the old workers are still serving");
    }
    assert!(!service.events().iter().any(|event| event["event"] == "Draining"));
    fs::remove_file(broken).expect("it exists");
    for _ in 0..workers {
        assert_eq!(service.event("Draining")["why"], "Terminated");
    }
    service.stop();
}

fn primary_hangs(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let victim = service.worker_pids()[0];
    service.signal(Signal::SIGSTOP);
    until("the primary is stopped", || (state(service.pid()) == Some('T')).then_some(()));
    send(victim, Signal::SIGTERM);
    until("the worker leaves", || (state(victim) == Some('Z')).then_some(()));
    service.signal(Signal::SIGCONT);
    let exited = service.event("Exited");
    assert_eq!((&exited["pid"], &exited["voluntary"]), (&victim.into(), &true.into()));
    service.event("Listening");
    service.stop();
}

/// A worker that computes for longer than the queue is kept open still finds the queue.
fn busy(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let mut service = Start::workers(workers)
            .env("CLUSTER_SHARING", sharing)
            .env("SHUTDOWN_ACCEPT_TIMEOUT", "50ms")
            .ready();
        // Enough for each worker to get one, wherever the kernel puts them.
        let mut busy: Vec<Client> = (0..4 * workers).map(|_| service.connect()).collect();
        for client in &mut busy {
            client.send("/block?ms=300").expect("it is sent");
        }
        let mut queued: Vec<Client> = (0..FLIGHT).map(|_| service.connect()).collect();
        for client in &mut queued {
            client.send("/").expect("it is sent");
        }
        service.signal(Signal::SIGTERM);
        let lost = losses(busy) + losses(queued);
        assert_eq!(lost, 0, "{sharing}\n{}", service.log());
        assert!(service.wait().success());
    }
}

/// `timeout 1 server` signals its child and then the group; on Ctrl-C a wrapper signals too.
fn twice(workers: usize) {
    let gaps = [0, 5, 100, 300];
    for (round, gap) in (0..stops()).zip(gaps.into_iter().cycle()) {
        let sharing = ["inherited", "reuse-port", "hand-off"][round % 3];
        let signal = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT][round / 4 % 3];
        until_intended(|| stop_slowly(workers, sharing, [signal; 2], gap));
    }
}

/// The loop is busy while both signals arrive, unless the stop refuses the second client first. The
/// unit tests of `primary/signals.rs` test the rule without this race.
fn busy_loop(workers: usize) {
    let mut service = Start::workers(workers).env("FIXTURE_STRATEGY", "slow");
    service = service.env("CLUSTER_SHARING", "hand-off");
    let mut service = service.ready();
    let mut client = service.connect();
    client.send("/slow?ms=2500").expect("it is sent");
    until("it is being worked on", || (queued(&service.address) == 0).then_some(()));
    service.signal(Signal::SIGTERM);
    // The strategy takes a second for this client, on the loop.
    let _busy = Client::connect(&service.address);
    sleep(Duration::from_millis(100)); // the input is the gap
    service.signal(Signal::SIGTERM);
    assert_eq!(client.receive().expect("it is answered").status, 200);
    assert!(service.wait().success());
}

fn int_and_term(workers: usize) {
    let gaps = [5, 0, 700, 100];
    for (round, gap) in (0..stops()).zip(gaps.into_iter().cycle()) {
        let sharing = ["inherited", "reuse-port", "hand-off"][round % 3];
        until_intended(|| stop_slowly(workers, sharing, [Signal::SIGINT, Signal::SIGTERM], gap));
    }
}

/// Plays a stop until its gap was as intended, at most ten times.
fn until_intended(stop: impl Fn() -> bool) {
    assert!((0..10).any(|_| stop()), "the machine is too slow: each gap was longer than intended");
}

/// Requests that last longer than the gap, so that impatience would cut them. Returns false if a busy
/// machine made the gap longer than it should be: the same signal again after 500 ms does end them.
fn stop_slowly(workers: usize, sharing: &str, signals: [Signal; 2], gap: u64) -> bool {
    let mut service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
    let mut clients: Vec<Client> = (0..FLIGHT).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send(&format!("/slow?ms={}", gap + 300)).expect("it is sent");
    }
    let first = Instant::now();
    service.signal(signals[0]);
    sleep(Duration::from_millis(gap)); // the input is the gap
    service.signal(signals[1]);
    let (elapsed, lost) = (first.elapsed(), losses(clients));
    assert!(service.wait().success());
    let intended = elapsed < Duration::from_millis(gap + 60);
    assert!(
        lost == 0 || !intended,
        "{lost} lost of {FLIGHT} with {sharing}, {signals:?} {gap} ms apart\n{}",
        service.whole_log()
    );
    intended
}
