//! Scenarios 18 to 21: the life and death of workers and of the primary.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Scenario;
use super::reload::{held, release};
use crate::lab::{Client, Reply, Service, Start, exists, gone, queued, send, state, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s18_the_primary_is_killed", &[1, 3], primary_killed),
    ("s18_the_programs_code_in_the_primary_panics", &[1, 3], watcher_panics),
    ("s18_the_primarys_loop_panics", &[1, 3], loop_panics),
    ("s18_the_primarys_loop_panics_and_a_second_term_comes", &[2], loop_panics_and_term),
    ("s19_a_worker_is_killed", &[1, 3], worker_killed),
    ("s20_codes_and_intents", &[1, 3], codes_and_intents),
    ("s21_a_stop_that_is_requested_twice_is_still_graceful", &[1, 3], stop_twice),
    ("s21_a_stop_serves_the_queue_then_refuses", &[1, 3], stop_inherited),
    ("s21_a_stop_serves_the_queues_of_all_slots", &[1, 3], stop_reuse_port),
    ("s21_a_stop_serves_the_queue_of_the_primary", &[1, 3], stop_hand_off),
    ("s21_a_stop_serves_clients_that_wait_in_the_primary", &[1, 3], stop_full_hand_off),
    ("s21_a_hung_worker_does_not_keep_the_port_open", &[2], stop_with_a_hung_worker),
    ("s21_a_second_term_stops_at_once", &[1, 3], second_term),
];

pub fn pid_of(reply: &Reply) -> u32 {
    u32::try_from(reply.number("pid")).expect("it is a pid")
}

fn primary_killed(workers: usize) {
    let start = Start::workers(workers).unix();
    let folder = start.folder();
    let mut service = start.ready();
    let pids = service.worker_pids();
    service.connect().send("/hang").expect("it is sent");
    until("a worker is computing", || {
        pids.iter().any(|pid| state(*pid) == Some('R')).then_some(())
    });
    service.signal(Signal::SIGKILL);
    service.wait();
    for pid in pids {
        until("the worker dies with its primary", || gone(pid).then_some(()));
    }
    assert!(folder.join("app.sock").exists(), "no process could remove it");
    let next = Start::workers(workers).env("CLUSTER_LISTEN", &service.address).ready();
    assert_eq!(next.get("/").status, 200);
    next.stop();
}

/// A request is in flight when the program's own code panics: the request is answered, and the exit
/// code shows the panic.
fn watcher_panics(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let pids = service.worker_pids();
    let mut slow = service.connect();
    slow.send("/hold?name=slow").expect("it is sent");
    held(&mut service, "slow");
    service.get("/tell?panic");
    service.logged("code in the primary has panicked: the watcher has a defect");
    release(&service, "slow");
    assert_eq!(slow.receive().expect("what was in flight is finished").status, 200);
    assert_eq!(service.wait().code(), Some(1));
    assert!(pids.into_iter().all(gone), "no worker is left");
}

fn loop_panics(workers: usize) {
    let mut service = panicking(workers).ready();
    let pids = service.worker_pids();
    let mut slow = service.connect();
    slow.send("/hold?name=slow").expect("it is sent");
    held(&mut service, "slow");
    let _second = service.connect();
    service.logged("code in the primary has panicked: this strategy has a defect");
    service.event("Stopping");
    release(&service, "slow");
    assert_eq!(slow.receive().expect("what was in flight is finished").status, 200);
    assert_eq!(service.wait().code(), Some(1));
    assert!(pids.into_iter().all(gone), "no worker is left");
    let exits = service.all_events().into_iter().filter(|event| event["event"] == "Exited");
    assert_eq!(exits.filter(|event| event["code"] == 0).count(), workers, "each exit is reported");
}

fn loop_panics_and_term(workers: usize) {
    let mut service = panicking(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "1h").ready();
    let pids = service.worker_pids();
    let mut slow = service.connect();
    slow.send("/hold?name=slow").expect("it is sent");
    held(&mut service, "slow");
    let _second = service.connect();
    service.event("Stopping");
    service.signal(Signal::SIGTERM); // the stop is under way
    std::thread::sleep(Duration::from_millis(700)); // the input is the gap
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().code(), Some(1));
    slow.receive().expect_err("it was cut");
    assert!(pids.into_iter().all(gone), "no worker is left");
}

fn panicking(workers: usize) -> Start {
    let start = Start::workers(workers).env("CLUSTER_SHARING", "hand-off");
    start.env("FIXTURE_STRATEGY", "panics")
}

fn worker_killed(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let victim = pid_of(&service.get("/"));
    send(victim, Signal::SIGKILL);
    let exited = service.event("Exited");
    assert_eq!(exited["pid"], victim);
    assert_eq!((&exited["signal"], &exited["code"]), (&9.into(), &Value::Null));
    assert_eq!(exited["voluntary"], false);
    service.event("Listening");
    let reply = service.get("/");
    assert_ne!(pid_of(&reply), victim);
    // Each fact occurs once, and in order.
    let of = |worker: &Value| -> Vec<String> {
        let events = service.events();
        let facts = events.iter().filter(|event| event["worker"] == *worker);
        facts.map(|event| event["event"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(of(&exited["worker"]), ["Spawned", "Online", "Listening", "Exited"]);
    service.stop();
}

fn codes_and_intents(workers: usize) {
    let mut service = Start::workers(workers).ready();
    for (path, code, voluntary) in
        [("/exit?code=42", 42, false), ("/exit?code=0", 0, false), ("/leave", 0, true)]
    {
        let _ = service.connect().get(path); // a worker that exits might not answer
        let exited = service.event("Exited");
        assert_eq!(exited["code"], code, "{path}");
        assert_eq!(exited["voluntary"], voluntary, "{path}");
        service.event("Listening");
    }
    let crashes = service.stats()["primary"]["totalCrashes"].clone();
    assert_eq!(crashes, 2);
    // Requested by the primary: not a crash either.
    service.signal(Signal::SIGHUP);
    assert_eq!(service.event("Exited")["voluntary"], true);
    service.stop();
}

/// The number of clients at a stop.
const CLIENTS: usize = 40;

fn stop_inherited(workers: usize) {
    stop("inherited", workers, CLIENTS - workers);
}

fn stop_reuse_port(workers: usize) {
    stop("reuse-port", workers, CLIENTS - workers); // with this many, each slot has some
}

/// The primary has accepted all clients, and its workers have declined: the clients wait in it.
fn stop_full_hand_off(workers: usize) {
    stop("hand-off", workers, 0);
}

/// Each worker serves one connection, so `waiting` clients stay in the kernel's queues.
fn stop(sharing: &str, workers: usize, waiting: usize) {
    let service = Start::workers(workers)
        .env("CLUSTER_SHARING", sharing)
        .env("HTTP_CONNECTIONS", 1)
        .env("GRACEFUL_SHUTDOWN_TIMEOUT", "20s")
        .env("SHUTDOWN_ACCEPT_TIMEOUT", "2s") // time for a busy machine
        .ready();
    let clients = slow_clients(&service);
    until("all others wait", || (queued(&service.address) == waiting).then_some(()));
    service.signal(Signal::SIGTERM);
    all_are_served(service, clients);
}

/// The primary accepts, so while it is stopped all clients wait in the kernel's queue.
fn stop_hand_off(workers: usize) {
    let service = Start::workers(workers)
        .env("CLUSTER_SHARING", "hand-off")
        .env("GRACEFUL_SHUTDOWN_TIMEOUT", "20s")
        .env("SHUTDOWN_ACCEPT_TIMEOUT", "2s") // time for a busy machine
        .ready();
    service.signal(Signal::SIGSTOP);
    until("it is stopped", || (state(service.pid()) == Some('T')).then_some(()));
    let clients = slow_clients(&service);
    assert_eq!(queued(&service.address), CLIENTS);
    service.signal(Signal::SIGTERM);
    service.signal(Signal::SIGCONT);
    all_are_served(service, clients);
}

/// A program or two operators request a stop twice: only a second signal counts as impatience.
fn stop_twice(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let mut client = service.connect();
    client.send("/slow?ms=1500").expect("it is sent");
    until("it is being worked on", || (queued(&service.address) == 0).then_some(()));
    assert_eq!(service.admin("POST", "/stop", "").0, 202);
    service.event("Stopping");
    let (second, _) = service.admin("POST", "/stop", "");
    assert_eq!(second, 202);
    assert_eq!(client.receive().expect("it is answered").status, 200);
    assert!(service.wait().success());
}

fn slow_clients(service: &Service) -> Vec<Client> {
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/slow?ms=1000").expect("it is sent");
    }
    clients
}

/// A stop has been requested.
fn all_are_served(mut service: Service, mut clients: Vec<Client>) {
    service.event("Stopping");
    let pids = service.worker_pids();
    refuses_soon(&service);
    let lost = clients.iter_mut().filter_map(|client| client.receive().err());
    let lost: Vec<_> = lost.map(|error| error.to_string()).collect();
    assert!(lost.is_empty(), "{} of the connected clients: {lost:?}", lost.len());
    assert!(service.wait().success());
    for pid in pids {
        assert!(!exists(pid), "{pid} is left behind, perhaps as a zombie");
    }
}

/// Connections are refused long before the deadline of 20 s: in about 100 ms, but not on every
/// machine.
fn refuses_soon(service: &Service) {
    let asked = Instant::now();
    until("connections are refused", || {
        let error = Client::connect(&service.address).err()?;
        (error.kind() == io::ErrorKind::ConnectionRefused).then_some(())
    });
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

fn stop_with_a_hung_worker(workers: usize) {
    let mut service = Start::workers(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "20s").ready();
    let hung = pid_of(&service.get("/"));
    send(hung, Signal::SIGSTOP);
    service.signal(Signal::SIGTERM);
    refuses_soon(&service);
    assert!(!gone(hung), "it was refused before the hung worker was killed");
    send(hung, Signal::SIGCONT);
    assert!(service.wait().success());
    assert!(gone(hung));
}

fn second_term(workers: usize) {
    let mut service = Start::workers(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "1h").ready();
    let mut slow = service.connect();
    slow.send("/slow?ms=3600000").expect("it is sent");
    service.get("/");
    service.signal(Signal::SIGTERM);
    service.event("Stopping");
    std::thread::sleep(Duration::from_millis(700)); // the input is the gap
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success(), "it was requested");
    slow.receive().expect_err("it was cut");
    let exits = service.all_events().into_iter().filter(|event| event["event"] == "Exited");
    assert!(exits.into_iter().any(|event| event["signal"] == 9), "a worker was killed");
}
