//! Scenarios 27 to 35: sockets, hand-off, terminals and links.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{Conduct, Service, Start, children, gone, group, send, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s27_port_0_is_one_port", &[1, 3], one_port),
    ("s27_a_unix_socket_is_removed_at_the_end", &[1, 3], unix_socket),
    ("s28_a_taken_port_is_reported", &[1, 3], taken_port),
    ("s28_a_taken_unix_socket_is_reported", &[1], taken_socket),
    ("s29_round_robin_splits_exactly", &[1, 3], round_robin),
    ("s29_a_worker_at_its_limit_declines", &[2], declines),
    ("s30_a_worker_dies_before_its_ack", &[2], redelivered),
    ("s30_a_hung_worker_keeps_its_connections", &[2], not_redelivered),
    ("s31_out_of_descriptors", &[1, 3], out_of_descriptors),
    ("s32_a_malformed_frame_ends_that_channel_only", &[1, 3], malformed),
    ("s33_signals_of_a_terminal", &[1, 3], terminal),
    ("s34_a_link_that_a_deploy_moves", &[1, 3], moved_link),
    ("s35_a_slot_without_a_worker_hangs_no_client", &[4], reuse_port),
];

/// For each worker, the number of the `count` requests that it answers.
fn spread(service: &Service, count: usize) -> BTreeMap<u64, usize> {
    let mut spread = BTreeMap::new();
    for _ in 0..count {
        *spread.entry(service.get("/").number("worker")).or_default() += 1;
    }
    spread
}

fn one_port(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
        assert!(!service.address.ends_with(":0"), "{}", service.address);
        for _ in 0..20 {
            assert_eq!(service.get("/").status, 200, "{sharing}");
        }
        service.stop();
    }
}

fn unix_socket(workers: usize) {
    let mut service = Start::workers(workers).unix().ready();
    let path = service.program().folder().join("app.sock");
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    assert!(path.exists(), "a reload does not remove it");
    assert_eq!(service.get("/").number("generation"), 2);
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
    assert!(!path.exists(), "a stop does");
    assert!(!service.program().folder().join("admin.sock").exists(), "nor the admin API's");
}

fn taken_port(workers: usize) {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let mut service = Start::workers(workers).env("CLUSTER_LISTEN", &address).spawn();
    assert_eq!(service.wait().code(), Some(1));
    service.logged(&format!("cannot listen on {address}"));
    service.logged("CLUSTER_LISTEN");
    assert!(service.all_events().is_empty(), "nothing was spawned");
}

fn taken_socket(workers: usize) {
    let start = Start::workers(workers).unix();
    let _taken = UnixListener::bind(start.folder().join("app.sock")).expect("it is free");
    let mut service = start.spawn();
    assert_eq!(service.wait().code(), Some(1));
    service.logged("app.sock");
    assert!(service.all_events().is_empty(), "nothing was spawned");
}

fn hand_off(workers: usize) -> Start {
    Start::workers(workers).env("CLUSTER_SHARING", "hand-off")
}

fn round_robin(workers: usize) {
    let service = hand_off(workers).ready();
    let spread = spread(&service, workers * 20);
    assert_eq!(spread.len(), workers, "{spread:?}");
    assert!(spread.values().all(|count| *count == 20), "{spread:?}");
    service.stop();
}

fn declines(workers: usize) {
    let service = hand_off(workers).env("HTTP_CONNECTIONS", 1).ready();
    let mut first = service.connect();
    let full = first.get("/").expect("it is served").number("worker");
    for _ in 0..6 {
        let other = service.get("/").number("worker");
        assert_ne!(other, full, "it has one connection, and may not have more");
    }
    drop(first);
    until("it has room again", || (service.get("/").number("worker") == full).then_some(()));
    service.stop();
}

/// A frozen worker gets connections; it dies before it has acknowledged them.
fn redelivered(workers: usize) {
    let mut service = hand_off(workers).ready();
    let frozen = service.get("/").number("pid");
    let frozen_pid = u32::try_from(frozen).expect("it is a pid");
    send(frozen_pid, Signal::SIGSTOP);
    let mut clients: Vec<_> = (0..10).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/").expect("it is sent");
    }
    // The queue is first in, first out: when a later one is answered, all these have been handed over.
    assert_ne!(service.get("/").number("pid"), frozen);
    let (mut others, mut its_own) = (Vec::new(), Vec::new());
    for (number, client) in clients.into_iter().enumerate() {
        if number % 2 == 0 { others.push(client) } else { its_own.push(client) }
    }
    for client in &mut others {
        assert_ne!(client.receive().expect("it is the other worker's").number("pid"), frozen);
    }
    send(frozen_pid, Signal::SIGKILL);
    service.event("Exited");
    for client in &mut its_own {
        let reply = client.receive().expect("another worker serves it");
        assert_eq!(reply.status, 200);
        assert_ne!(reply.number("pid"), frozen);
    }
    service.stop();
    for client in others.iter_mut().chain(&mut its_own) {
        client.end().expect("there was one answer, and no second one");
    }
}

fn not_redelivered(workers: usize) {
    let mut service = hand_off(workers).ready();
    let frozen = u32::try_from(service.get("/").number("pid")).expect("it is a pid");
    send(frozen, Signal::SIGSTOP);
    let mut clients: Vec<_> = (0..8).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/").expect("it is sent");
    }
    // Every second client is the frozen worker's. It thaws, and answers them: no other worker has.
    let other = service.get("/").number("pid");
    send(frozen, Signal::SIGCONT);
    let mut spread: BTreeMap<u64, usize> = BTreeMap::new();
    for client in &mut clients {
        *spread.entry(client.receive().expect("it is answered").number("pid")).or_default() += 1;
    }
    assert_ne!(other, u64::from(frozen));
    assert_eq!(spread.get(&u64::from(frozen)), Some(&4), "{spread:?}");
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
}

fn out_of_descriptors(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let mut start = Start::workers(workers).env("CLUSTER_SHARING", sharing);
        let path = start.program().path();
        start = start.path("/bin/sh".into());
        let limited = format!("ulimit -n 64; exec {}", path.display());
        start.command().arg("-c").arg(limited);
        let service = start.ready();
        let pids = service.worker_pids();
        // More clients than descriptors: some wait in the kernel's queue.
        let clients: Vec<_> = (0..64 * (workers + 1)).map(|_| service.connect()).collect();
        service.logged("Too many open files");
        drop(clients);
        assert_eq!(service.get("/").status, 200, "it serves again");
        assert_eq!(service.worker_pids(), pids, "it killed no worker");
        service.stop();
    }
}

fn malformed(workers: usize) {
    let mut service = Start::workers(workers).env("WORKER_RESTART_DELAY", "5ms").ready();
    for (path, complaint) in [("/frame", "protocol version"), ("/oversized", "frame is larger")] {
        let victim = service.get(path).number("worker"); // it writes rubbish to its channel
        let unhealthy = service.event("Unhealthy");
        assert_eq!(unhealthy["worker"], victim);
        assert!(
            unhealthy["why"].as_str().is_some_and(|why| why.contains(complaint)),
            "{unhealthy}"
        );
        assert_eq!(service.event("Exited")["worker"], victim);
        service.event("Listening");
        assert_eq!(service.get("/").status, 200, "the primary is alive");
    }
    // It dies in the middle of a frame.
    service.connect().get("/truncated").expect_err("it exits instead");
    assert_eq!(service.event("Exited")["code"], 5);
    service.event("Listening");
    assert_eq!(service.get("/").status, 200, "the primary is alive");
    service.stop();
}

fn terminal(workers: usize) {
    // Ctrl-C: each worker is asked once, by its primary, and leaves with code 0.
    let (mut service, mut keyboard) = Start::workers(workers).on_a_terminal();
    service.event("Serving");
    for pid in service.worker_pids() {
        // A worker would survive the SIGINT, so check that the kernel does not send it one.
        assert_eq!(group(pid), pid, "it is in its own group");
    }
    keyboard.ctrl_c();
    service.event("Stopping");
    for _ in 0..workers {
        let exited = service.event("Exited");
        assert_eq!((&exited["code"], &exited["voluntary"]), (&0.into(), &true.into()));
    }
    assert!(service.wait().success());

    // The terminal's window is closed: a stop, not a reload.
    let (mut service, keyboard) = Start::workers(workers).on_a_terminal();
    service.event("Serving");
    let pids = children(service.pid());
    keyboard.close();
    service.event("Stopping");
    service.wait();
    for pid in pids {
        until("it is gone", || gone(pid).then_some(()));
    }

    let mut service = Start::workers(workers).ready(); // HUP to a service reloads
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    service.stop();
}

fn moved_link(workers: usize) {
    let start = Start::workers(workers);
    let path = start.program().release(1);
    let mut service = start.path(path).ready();
    assert_eq!(service.get("/").number("version"), 1);
    service.program().release(2);
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    assert_eq!(service.get("/").number("version"), 2);
    service.program().deploy(9, Conduct::Good); // not the file that the link points to
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    assert_eq!(service.get("/").number("version"), 2);
    service.stop();
}

fn reuse_port(workers: usize) {
    let mut service = Start::workers(workers)
        .env("CLUSTER_SHARING", "reuse-port")
        .env("WORKER_MAX_EARLY_DEATHS", 1)
        .env("WORKER_MIN_UPTIME", "1h")
        .ready();
    let no_client_waits = |service: &Service, why: &str| {
        for _ in 0..60 {
            let asked = Instant::now();
            assert_eq!(service.get("/").status, 200);
            assert!(asked.elapsed() < Duration::from_secs(1), "{why}: {:?}", asked.elapsed());
        }
    };
    no_client_waits(&service, "all are ready");
    let victim = u32::try_from(service.get("/").number("pid")).expect("it is a pid");
    send(victim, Signal::SIGKILL);
    service.event("Errored");
    no_client_waits(&service, "one slot is errored");
    assert_eq!(service.admin("POST", "/scale", r#"{"workers":2}"#).0, 200);
    service.event("Scaled");
    no_client_waits(&service, "scaled down");
    assert_eq!(service.admin("POST", "/scale", r#"{"workers":4}"#).0, 200);
    until("four are ready", || (service.stats()["cluster"]["healthyWorkers"] == 4).then_some(()));
    no_client_waits(&service, "scaled up again");
    let answering =
        until("all four answer", || Some(spread(&service, 60)).filter(|spread| spread.len() == 4));
    assert_eq!(answering.len(), 4);
    service.stop();
}
