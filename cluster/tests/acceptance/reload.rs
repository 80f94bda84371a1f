//! Scenarios 1 to 11: a reload loses nothing.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Scenario;
use crate::lab::{
    Conduct, Kind, Load, Reply, Service, Start, descriptors, resident, state, threads, until,
};

pub const SCENARIOS: &[Scenario] = &[
    ("s01_fresh_posts_through_reloads", &[1, 3], fresh_posts),
    ("s02_fresh_posts_over_a_unix_socket", &[1, 3], fresh_posts_unix),
    ("s03_keep_alive_with_pauses_through_reloads", &[1, 3], keep_alive),
    ("s04_a_request_during_the_drain_is_answered_with_close", &[1, 3], request_in_drain),
    ("s05_a_connection_without_a_byte_is_answered", &[1, 3], no_byte_yet),
    ("s06_a_request_slower_than_the_reload", &[1, 3], slow_request),
    ("s07_only_new_workers_answer_after_the_reload", &[1, 3], only_new),
    ("s08_large_answers_and_unread_bodies_are_not_cut", &[1, 3], large_answer),
    ("s09_clients_queued_while_all_workers_are_dead", &[1, 3], queued_clients),
    ("s10_the_binary_is_replaced", &[1, 3], new_binary),
    ("s11_a_hundred_reloads_leave_no_trace", &[1, 2], hundred_reloads),
];

/// Reloads by signal, and waits until it is done.
fn reload(service: &mut Service) {
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
}

/// Waits until a worker is busy with `/hold` of this name. It stays busy until it is released.
pub fn held(service: &mut Service, name: &str) {
    let body = format!("\"holding {name}\"");
    service.event_where("Message", |event| event["body"] == body);
}

pub fn release(service: &Service, name: &str) {
    let flag = service.program().folder().join(format!("release-{name}"));
    fs::write(flag, "").expect("there is room");
}

/// One of the old workers has answered, and announced the end of the connection.
fn assert_last_word(reply: &Reply, old: &[u32]) {
    assert_eq!(reply.status, 200);
    let pid = reply.number("pid");
    assert!(old.iter().any(|old| u64::from(*old) == pid), "{pid} is not one of {old:?}");
    assert!(reply.closes, "it announces that the connection ends");
}

fn reloads_under(kind: Kind, mut service: Service, reloads: usize) {
    let load = Load::start(kind, 4, &service.address);
    for _ in 0..reloads {
        load.wait_for(20);
        reload(&mut service);
    }
    load.wait_for(20);
    let (answered, losses) = load.finish();
    assert!(losses.is_empty(), "{} of {answered} were lost: {losses:#?}", losses.len());
    service.stop();
}

fn fresh_posts(workers: usize) {
    reloads_under(Kind::FreshPosts, Start::workers(workers).ready(), 5);
}

fn fresh_posts_unix(workers: usize) {
    reloads_under(Kind::FreshPosts, Start::workers(workers).unix().ready(), 5);
}

fn keep_alive(workers: usize) {
    let pause = Duration::from_millis(500); // half of the window
    reloads_under(Kind::KeepAlive(pause), Start::workers(workers).ready(), 5);
}

fn request_in_drain(workers: usize) {
    let mut service = Start::workers(workers).env("DRAIN_WINDOW", "20s").ready();
    let mut client = service.connect();
    let before = client.get("/").expect("it is served");
    assert!(!before.closes);
    reload(&mut service);
    let during = client.get("/").expect("it is still served");
    assert_eq!(during.field("pid"), before.field("pid"), "by the worker that has the connection");
    assert!(during.closes, "it announces that the connection ends");
    client.end().expect("and then it does, in order");
    service.stop();
}

fn no_byte_yet(workers: usize) {
    let mut service = Start::workers(workers).env("DRAIN_WINDOW", "20s").ready();
    let old = service.worker_pids();
    let mut silent: Vec<_> = (0..8).map(|_| service.connect()).collect();
    until("the workers have accepted all of them", || {
        let stats = service.stats();
        let open = |worker: &serde_json::Value| worker["connections"].as_u64();
        (stats["workers"].as_array()?.iter().filter_map(open).sum::<u64>() == 8).then_some(())
    });
    reload(&mut service); // all old workers drain now
    for client in &mut silent {
        assert_last_word(&client.get("/").expect("it is served"), &old);
        client.end().expect("and then it ends, in order");
    }
    service.stop();
}

fn slow_request(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let old = service.worker_pids();
    let mut client = service.connect();
    client.send("/hold?name=slow").expect("it is sent");
    held(&mut service, "slow");
    reload(&mut service);
    let new = service.get("/").number("pid");
    assert!(old.iter().all(|old| u64::from(*old) != new), "the reload is over");
    release(&service, "slow"); // no answer was possible before
    assert_last_word(&client.receive().expect("it is finished"), &old);
    client.end().expect("and then it ends, in order");
    service.stop();
}

fn only_new(workers: usize) {
    let mut service = Start::workers(workers).ready();
    for generation in 2..5 {
        reload(&mut service);
        let clients: Vec<_> = (0..20).map(|_| service.get("/").number("generation")).collect();
        assert!(clients.iter().all(|of| *of == generation), "{clients:?} in {generation}");
    }
    service.stop();
}

fn large_answer(workers: usize) {
    large_answer_in_flight(Start::workers(workers).ready());
    body_unread(Start::workers(workers).ready());
}

fn large_answer_in_flight(mut service: Service) {
    const SIZE: usize = 40_000_000; // more than the kernel keeps for a reader that does not read
    let mut client = service.connect();
    let pid = client.get("/").expect("it is served").number("pid");
    client.send(&format!("/big?bytes={SIZE}")).expect("it is sent");
    let mut first = [0];
    client.read_exact(&mut first).expect("the answer has begun");
    reload(&mut service);
    assert!(service.worker_pids().iter().any(|it| u64::from(*it) == pid), "it still works on it");
    let reply = client.receive().expect("it is not cut");
    assert_eq!((reply.status, reply.body.len()), (200, SIZE));
    client.end().expect("and then it ends, in order");
    service.stop();
}

/// A body that the service does not read: the answer comes first, and a reset must not destroy it.
fn body_unread(mut service: Service) {
    let old = service.worker_pids();
    let body = vec![b'x'; 300_000];
    let head = "POST /hold?name=unread HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n";
    let mut client = service.connect();
    client.write(head.as_bytes()).expect("it is sent");
    client.write(&body[..1000]).expect("it is sent");
    held(&mut service, "unread");
    reload(&mut service);
    release(&service, "unread");
    client.write(&body[1000..100_000]).expect("it may still send");
    assert_last_word(&client.receive().expect("no reset destroys it"), &old);
    for chunk in body[100_000..].chunks(100_000) {
        client.write(chunk).expect("no reset comes after it");
    }
    client.end().expect("and then it ends, in order");
    service.stop();
}

fn queued_clients(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let old = service.worker_pids();
    service.signal(Signal::SIGSTOP); // no worker is replaced meanwhile
    until("the primary is stopped", || (state(service.pid()) == Some('T')).then_some(()));
    for pid in &old {
        let pid = Pid::from_raw(i32::try_from(*pid).expect("it is a pid"));
        kill(pid, Signal::SIGKILL).expect("it exists");
    }
    until("all workers are dead", || old.iter().all(|pid| state(*pid) == Some('Z')).then_some(()));
    let mut clients: Vec<_> = (0..20).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/").expect("it is queued");
    }
    assert_eq!(service.worker_pids(), old, "there is no other worker yet");
    service.signal(Signal::SIGCONT);
    for client in &mut clients {
        assert_eq!(client.receive().expect("it is served after the restart").status, 200);
    }
    for _ in &old {
        assert_eq!(service.event("Exited")["signal"], 9);
    }
    service.stop();
}

fn new_binary(workers: usize) {
    let mut service = Start::workers(workers).ready();
    assert_eq!(service.get("/").number("version"), 1);
    service.program().deploy(2, Conduct::Good);
    // A crash after the deploy and before the reload: the slot's own version comes back.
    kill_one(&mut service);
    let seen: Vec<_> = (0..20).map(|_| service.get("/").number("version")).collect();
    assert!(seen.iter().all(|version| *version == 1), "{seen:?}");
    reload(&mut service);
    let seen: Vec<_> = (0..20).map(|_| service.get("/").number("version")).collect();
    assert!(seen.iter().all(|version| *version == 2), "{seen:?}");
    // Even if the file is gone.
    std::fs::remove_file(service.program().path()).expect("it is ours");
    kill_one(&mut service);
    assert_eq!(service.get("/").number("version"), 2);
    service.stop();
}

/// Kills the worker that answers, and waits for its replacement.
fn kill_one(service: &mut Service) {
    let reply = service.get("/");
    let pid = i32::try_from(reply.number("pid")).expect("it is a pid");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it exists");
    service.event_where("Exited", |event| event["pid"] == pid);
    service.event("Listening");
}

fn hundred_reloads(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let load = Load::start(Kind::FreshPosts, 2, &service.address);
    for _ in 0..10 {
        reload(&mut service); // one-time allocations are made now
    }
    let before = trace(&service);
    for _ in 0..100 {
        reload(&mut service);
        load.wait_for(1);
    }
    let (answered, losses) = load.finish();
    assert!(losses.is_empty(), "{} of {answered} were lost: {losses:#?}", losses.len());
    // The primary may be about to close the descriptors of the last old workers.
    until("there are no more descriptors and threads than before", || {
        let after = trace(&service);
        (after.0 <= before.0 && after.1 <= before.1).then_some(())
    });
    let after = resident(service.pid());
    assert!(after < before.2 + (1 << 20), "memory: {} to {after} bytes", before.2);
    service.stop();
}

/// Descriptors, threads and memory of the primary, with no more workers than wanted.
fn trace(service: &Service) -> (usize, usize, u64) {
    until("the old workers are gone", || {
        let stats = service.stats();
        (stats["cluster"]["numWorkers"] == stats["workers"].as_array()?.len()).then_some(())
    });
    (descriptors(service.pid()).len(), threads(service.pid()), resident(service.pid()))
}
