//! Scenario 37: numbers that all workers share.

use std::fs;
use std::thread;

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{Conduct, Service, Start, descriptors, send, until};
use crate::life::pid_of;

pub const SCENARIOS: &[Scenario] = &[
    ("s37_shared_numbers_survive_crashes_and_reloads", &[1, 3], survives),
    ("s37_shared_memory_is_mapped_and_no_descriptor_stays", &[1, 3], manifest),
    ("s37_a_reload_gets_the_block_as_the_primary_made_it", &[1, 3], as_made),
    ("s37_too_much_shared_memory_is_refused", &[1], too_much),
];

/// The name of the block's mapping in `/proc/PID/maps`.
const NAME: &str = "/memfd:cluster-shared";

fn start(workers: usize) -> Start {
    Start::workers(workers).env("FIXTURE_SHARED", 8)
}

fn survives(workers: usize) {
    const TIMES: u64 = 100_000;
    let mut service = start(workers).ready();
    // Several clients at once, so that several workers add at the same time.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| service.get(&format!("/add?word=7&times={TIMES}")));
        }
    });
    assert_eq!(count(&service), 4 * TIMES, "nothing is lost between processes");
    // A killed worker takes no number with it, and its successor sees the same numbers.
    for _ in 0..workers {
        let victim = pid_of(&service.get("/add?word=7&times=1"));
        send(victim, Signal::SIGKILL);
        service.event_where("Exited", |event| event["pid"] == victim);
        service.event("Listening");
    }
    let so_far = 4 * TIMES + u64::try_from(workers).expect("a few");
    assert_eq!(count(&service), so_far);
    service.program().deploy(2, Conduct::Good);
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    let reply = service.get("/add?word=7&times=1");
    assert_eq!((reply.number("version"), reply.number("value")), (2, so_far + 1));
    // The program's code in the primary sees them too.
    service.get("/tell?count");
    assert_eq!(service.event("Counted")["words"][7], so_far + 1);
    service.stop();
}

fn count(service: &Service) -> u64 {
    service.get("/add?word=7&times=0").number("value")
}

fn manifest(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let service = start(workers).env("CLUSTER_SHARING", sharing).ready();
        let open = |pid| descriptors(pid).into_values().filter(|it| it.starts_with(NAME)).count();
        assert_eq!(open(service.pid()), 1, "{sharing}: the primary keeps it for newcomers");
        for pid in service.worker_pids() {
            assert_eq!(open(pid), 0, "{sharing}: {:?}", descriptors(pid));
            assert_eq!(mappings(pid), 1, "{sharing}: it is mapped");
        }
        let listed = service.get("/child").body;
        assert_eq!(listed.lines().filter(|line| line.contains("->")).count(), 4, "{listed}");
        service.stop();
    }
    let service = Start::workers(workers).ready();
    let pids = service.worker_pids().into_iter().chain([service.pid()]);
    assert_eq!(pids.map(mappings).sum::<usize>(), 0, "no version has asked for it");
    assert_eq!(service.get("/add?word=0&times=1").body, NONE);
    service.stop();
}

fn mappings(pid: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process exists");
    maps.lines().filter(|line| line.contains(NAME)).count()
}

const NONE: &str = "this cluster has no shared memory: the primary creates it at its start if the \
                    program calls Cluster::shared, and a reload does not; restart the cluster";

fn as_made(workers: usize) {
    // Version 2 asks for twice as much, and gets the block that exists.
    let mut service = start(workers).ready();
    assert_eq!(service.get("/add?word=0&times=5").number("words"), 8);
    reload(&mut service);
    let reply = service.get("/add?word=0&times=0");
    assert_eq!((reply.number("words"), reply.number("value")), (8, 5));
    service.stop();
    // Here version 2 is the first to ask.
    let mut service = start(workers).env("FIXTURE_SHARED_SINCE", 2).ready();
    reload(&mut service);
    assert_eq!(service.get("/add?word=0&times=1").body, NONE);
    service.stop();
}

fn reload(service: &mut Service) {
    service.program().deploy(2, Conduct::Good);
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    assert_eq!(service.get("/").number("version"), 2);
}

fn too_much(workers: usize) {
    let mut service = start(workers).env("FIXTURE_SHARED", 1_u64 << 40).spawn();
    assert_eq!(service.wait().code(), Some(1));
    until("the log has the reason", || {
        service.log().contains("words of shared memory are too many: at most").then_some(())
    });
}
