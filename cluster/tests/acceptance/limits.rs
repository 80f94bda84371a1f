//! Scenarios 22 to 26: workers that hang, crash or use too much, and the descriptors that they get.

use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Scenario;
use crate::lab::{Conduct, Service, Start, descriptors, send, stuck_h2, until};
use crate::life::pid_of;

pub const SCENARIOS: &[Scenario] = &[
    ("s22_a_hung_worker_is_aborted_and_replaced", &[1, 3], hung),
    ("s22_a_suspended_cluster_lives_on", &[1, 3], suspended),
    ("s22_a_primary_that_was_away_for_a_moment_kills_no_worker", &[1, 3], away_for_a_moment),
    ("s23_the_deadline_cuts_stuck_connections", &[1, 3], deadline),
    ("s24_a_crash_loop_ends_and_a_reload_clears_it", &[1, 3], crash_loop),
    ("s24_a_stable_time_clears_the_count", &[1, 3], stable_time),
    ("s25_over_the_memory_limit", &[1, 3], memory_limit),
    ("s26_descriptors_are_the_manifest", &[1, 3], manifest),
    ("s26_nothing_else_is_shared", &[1, 3], nothing_else),
];

fn hung(workers: usize) {
    ::lab::no_cores().expect("a soft limit can be lowered");
    let mut service = Start::workers(workers)
        .env("HEALTH_REPORT_INTERVAL", "500ms")
        .env("WORKER_ABORT_GRACE", "3s") // time to abort on a busy machine
        .ready();
    let idle = service.worker_pids();
    let mut client = service.connect();
    let victim = pid_of(&client.get("/").expect("it is served"));
    client.send("/hang").expect("it is sent");
    let unhealthy = service.event("Unhealthy");
    let exited = service.event("Exited");
    assert_eq!(exited["worker"], unhealthy["worker"]);
    assert_eq!((&exited["pid"], &exited["signal"]), (&victim.into(), &6.into()), "SIGABRT");
    service.event("Listening");
    let now = service.worker_pids();
    assert!(
        idle.iter().filter(|pid| **pid != victim).all(|pid| now.contains(pid)),
        "the others are alive"
    );
    // A worker that cannot even be aborted is killed.
    let stopped = pid_of(&service.get("/"));
    send(stopped, Signal::SIGSTOP);
    let exited = service.event_where("Exited", |event| event["pid"] == stopped);
    assert_eq!(exited["signal"], 9);
    service.event("Listening");
    service.stop();
}

fn suspended(workers: usize) {
    let service = Start::workers(workers).env("HEALTH_REPORT_INTERVAL", "200ms").ready();
    let pids = service.worker_pids();
    // Like a laptop whose lid is closed: all processes stop, and later continue.
    for pid in &pids {
        send(*pid, Signal::SIGSTOP);
    }
    service.signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(3)); // the suspension itself
    service.signal(Signal::SIGCONT);
    for pid in &pids {
        send(*pid, Signal::SIGCONT);
    }
    // All workers have reported again, and the primary has checked several times.
    for _ in 0..5 {
        let last = service.stats()["workers"][0]["lastHealthCheck"].clone();
        until("a worker reports again", || {
            (service.stats()["workers"][0]["lastHealthCheck"] != last).then_some(())
        });
    }
    assert_eq!(service.worker_pids(), pids, "no worker was killed");
    service.stop();
}

/// As on a machine that is short of memory, or in a debugger: the reports of the workers wait in the
/// channel, and are old when they are read.
fn away_for_a_moment(workers: usize) {
    let service = Start::workers(workers).env("HEALTH_REPORT_INTERVAL", "500ms").ready();
    let pids = service.worker_pids();
    let reported = || {
        let last = service.stats()["workers"][0]["lastHealthCheck"].clone();
        until("a worker reports", || {
            (service.stats()["workers"][0]["lastHealthCheck"] != last).then_some(())
        });
    };
    for moment in [1000, 1300, 1400, 1600] {
        reported();
        service.signal(Signal::SIGSTOP);
        std::thread::sleep(Duration::from_millis(moment)); // the absence itself
        service.signal(Signal::SIGCONT);
        reported();
        assert_eq!(service.worker_pids(), pids, "no worker was killed");
    }
    service.stop();
}

fn deadline(workers: usize) {
    let mut service = Start::workers(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "500ms").ready();
    let (mut slow, mut upgraded) = (service.connect(), service.connect());
    slow.send("/slow?ms=60000").expect("it is sent");
    upgraded
        .write(b"GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .expect("it is sent");
    assert_eq!(upgraded.receive().expect("it is upgraded").status, 101);
    let mut echo = [0];
    upgraded.write(b"e").expect("it is sent");
    upgraded.read_exact(&mut echo).expect("it echoes");
    let mut h2 = stuck_h2(&service.address);
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
    slow.receive().expect_err("it was cut");
    upgraded.read_exact(&mut echo).expect_err("it was cut");
    let mut rest = Vec::new();
    if let Err(error) = io::Read::read_to_end(&mut h2, &mut rest) {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "it was cut: {error}");
    }
    for event in service.all_events().iter().filter(|event| event["event"] == "Exited") {
        // The workers cut the connections themselves; none had to be killed.
        assert_eq!((&event["code"], &event["signal"]), (&0.into(), &Value::Null), "{event}");
        assert_eq!(event["voluntary"], true);
    }
}

fn crash_loop(workers: usize) {
    let start = Start::workers(workers)
        .env("WORKER_MAX_EARLY_DEATHS", 4)
        .env("WORKER_RESTART_DELAY", "20ms");
    start.program().deploy(1, Conduct::ExitsAtBoot);
    let mut service = start.spawn();
    for _ in 0..workers {
        assert_eq!(service.event("Errored")["failures"], 4);
    }
    for slot in 0..workers {
        let all = service.events();
        let delays = all.iter().filter(|it| it["event"] == "BackingOff" && it["slot"] == slot);
        let delays: Vec<_> = delays.collect();
        let failures: Vec<_> = delays.iter().map(|it| it["failures"].as_u64()).collect();
        assert_eq!(failures, [Some(1), Some(2), Some(3)]);
        for (delay, bound) in delays.iter().zip([20, 40, 80]) {
            let delay = delay["milliseconds"].as_u64().expect("a number");
            assert!(delay <= bound, "{delay} ms, with full jitter up to {bound}");
        }
        let spawned = all.iter().filter(|it| it["event"] == "Spawned" && it["slot"] == slot);
        assert_eq!(spawned.count(), 4);
    }
    assert_eq!(service.stats()["workers"][0]["state"], "errored");
    service.program().deploy(2, Conduct::Good);
    assert_eq!(service.admin("POST", "/reload", "").0, 200);
    service.event("ReloadFinished");
    service.stop();
}

fn stable_time(workers: usize) {
    let mut service = Start::workers(workers)
        .env("WORKER_MIN_UPTIME", "3s")
        .env("WORKER_RESTART_DELAY", "20ms")
        .ready();
    let first = service.get("/");
    let slot = first.number("slot");
    let second = successor(&mut service, slot, pid_of(&first));
    assert_eq!(failures(&service, slot), [1], "it died early");
    until("its successor outlives the time", || {
        let stats = service.stats();
        let mut workers = stats["workers"].as_array().expect("a list").iter();
        let worker = workers.find(|worker| worker["pid"] == second).expect("it lives");
        worker["uptime"].as_u64().filter(|uptime| *uptime >= 3000)
    });
    let third = successor(&mut service, slot, second);
    assert_eq!(failures(&service, slot), [1], "after a stable time the next one starts at once");
    successor(&mut service, slot, third);
    assert_eq!(failures(&service, slot), [1, 1], "it counts from one again");
    service.stop();
}

/// Kills the worker of a slot, and waits for the next one; returns its pid.
fn successor(service: &mut Service, slot: u64, pid: u32) -> u32 {
    send(pid, Signal::SIGKILL);
    service.event_where("Exited", |event| event["pid"] == pid);
    let spawned = service.event_where("Spawned", |event| event["slot"] == slot);
    service.event_where("Listening", |event| event["worker"] == spawned["worker"]);
    spawned["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("it is a pid")
}

/// The failure counts with which a slot was delayed.
fn failures(service: &Service, slot: u64) -> Vec<u64> {
    let all = service.events().into_iter();
    let delays = all.filter(|event| event["event"] == "BackingOff" && event["slot"] == slot);
    delays.filter_map(|event| event["failures"].as_u64()).collect()
}

fn memory_limit(workers: usize) {
    let mut service = Start::workers(workers)
        .env("WORKER_MEMORY_LIMIT", "200MiB")
        .env("HEALTH_CHECK_INTERVAL", "50ms")
        .ready();
    let before = service.worker_pids();
    let mut fat = service.connect();
    let reply = fat.get("/alloc?mb=250").expect("it is served");
    let draining = service.event("Draining");
    assert_eq!(draining["why"], "MemoryLimit");
    assert_eq!(draining["worker"], reply.number("worker"));
    while !fat.get("/").expect("it drains gracefully").closes {} // it soon gets the order
    let exited = service.event("Exited");
    assert_eq!((&exited["pid"], &exited["code"]), (&pid_of(&reply).into(), &0.into()));
    let now = service.worker_pids();
    assert!(before.iter().filter(|pid| **pid != pid_of(&reply)).all(|pid| now.contains(pid)));
    assert_eq!(now.len(), workers);
    service.stop();
}

fn manifest(workers: usize) {
    // A shell that has other descriptors open, which must not reach the workers.
    let start = Start::workers(workers);
    let path = start.program().path();
    let mut start = start.path("/bin/sh".into());
    start.command().arg("-c").arg(format!("exec 7</dev/null 9>/dev/null; exec {}", path.display()));
    let service = start.ready();
    for pid in service.worker_pids() {
        let open = descriptors(pid);
        assert_eq!(open[&0], "/dev/null");
        let is = |number, kind: &str| open.get(&number).is_some_and(|it| it.starts_with(kind));
        assert!(is(3, "socket:") && is(4, "pipe:") && is(6, "socket:"), "{open:?}");
        // This cluster does no hand-off, so the channel for it is closed, or soon will be.
        assert!(is(5, "socket:") || !open.contains_key(&5), "{open:?}");
        // The rest belongs to the runtime, and none of it to the shell or the primary.
        let shell = open.values().filter(|target| *target == "/dev/null").count();
        assert_eq!(shell, 1, "{open:?}");
        let handles = open.values().filter(|target| target.ends_with("/server")).count();
        assert_eq!(handles, 0, "{open:?}");
    }
    let listed = service.get("/child").body;
    let numbers = listed.lines().filter(|line| line.contains("->")).count();
    assert_eq!(numbers, 4, "input, output, error, and the folder that ls reads:\n{listed}");
    service.stop();
}

/// A worker shares with its primary and its siblings only the descriptors of the manifest: its other
/// descriptors are its own, even if they look the same.
fn nothing_else(workers: usize) {
    const LIFELINE: u32 = 4;
    const LISTENER: u32 = 6;
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let start = Start::workers(workers).env("CLUSTER_SHARING", sharing);
        let pid_file = start.folder().join("app.pid");
        let service = start.env("CLUSTER_PID_FILE", pid_file.display()).ready();
        let pids = service.worker_pids();
        let may = |number: u32, listener| {
            number <= LIFELINE && number != 3 || number == LISTENER && listener
        };
        for &pid in &pids {
            // A socket that was lent while the worker of its slot was not ready is soon given back.
            until(&format!("{sharing}: it shares nothing else with its primary"), || {
                let mut shared = shared(pid, service.pid()).into_iter();
                shared.all(|it| may(it, sharing != "hand-off")).then_some(())
            });
            for &sibling in pids.iter().filter(|sibling| **sibling != pid) {
                until(&format!("{sharing}: it shares nothing else with a sibling"), || {
                    let mut shared = shared(pid, sibling).into_iter();
                    shared.all(|it| may(it, sharing == "inherited")).then_some(())
                });
            }
            let open = descriptors(pid);
            let lifelines = open.values().filter(|target| **target == open[&LIFELINE]).count();
            assert_eq!(lifelines, 1, "the read end, and not the primary's: {open:?}");
        }
        service.stop();
    }
}

/// The descriptors of a process whose targets another process also has. A target without a name,
/// such as an epoll instance, looks the same in all processes and is left out.
fn shared(pid: u32, other: u32) -> Vec<u32> {
    let theirs = descriptors(other);
    let named = descriptors(pid).into_iter().filter(|(_, it)| !it.starts_with("anon_inode:"));
    let common = named.filter(|(_, target)| theirs.values().any(|it| it == target));
    common.map(|(number, _)| number).collect()
}
