//! Scenarios 18 to 26: life and death of workers and of the primary.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::Scenario;
use crate::lab::{Client, Start, descriptors, exists, gone, stuck_h2, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s18_the_primary_is_killed", &[1, 3], primary_killed),
    ("s19_a_worker_is_killed", &[1, 3], worker_killed),
    ("s20_codes_and_intents", &[1, 3], codes_and_intents),
    ("s21_a_stop_serves_the_queue_then_refuses", &[1, 3], stop),
    ("s21_a_hung_worker_does_not_keep_the_port_open", &[2], stop_with_a_hung_worker),
    ("s21_a_second_term_ends_at_once", &[1, 3], second_term),
    ("s22_a_hung_worker_is_aborted_and_replaced", &[1, 3], hung),
    ("s22_a_suspended_cluster_lives_on", &[1, 3], suspended),
    ("s23_the_deadline_cuts_what_is_stuck", &[1, 3], deadline),
    ("s24_a_crash_loop_ends_and_a_reload_clears_it", &[1, 3], crash_loop),
    ("s25_over_the_memory_limit", &[1, 3], memory_limit),
    ("s26_descriptors_are_the_manifest", &[1, 3], manifest),
];

fn pid_of(reply: &crate::lab::Reply) -> u32 {
    u32::try_from(reply.number("pid")).expect("it is a pid")
}

fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).expect("it is a pid")), signal).expect("it is there");
}

fn primary_killed(workers: usize) {
    let start = Start::workers(workers).unix();
    let folder = start.folder();
    let mut service = start.ready();
    let pids = service.worker_pids();
    service.connect().send("/hang").expect("it is sent");
    until("a worker computes", || {
        pids.iter().any(|pid| crate::lab::state(*pid) == Some('R')).then_some(())
    });
    service.signal(Signal::SIGKILL);
    service.wait();
    for pid in pids {
        until("the worker dies with its primary", || gone(pid).then_some(()));
    }
    assert!(folder.join("app.sock").exists(), "nobody could remove it");
    let next = Start::workers(workers).env("CLUSTER_LISTEN", &service.address).ready();
    assert_eq!(next.get("/").status, 200);
    next.stop();
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
    // Each fact once, and in order.
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
        let _ = service.connect().get(path); // whoever exits may not answer
        let exited = service.event("Exited");
        assert_eq!(exited["code"], code, "{path}");
        assert_eq!(exited["voluntary"], voluntary, "{path}");
        service.event("Listening");
    }
    let crashes = service.stats()["primary"]["totalCrashes"].clone();
    assert_eq!(crashes, 2);
    // Told by the primary: no crash either.
    service.signal(Signal::SIGHUP);
    assert_eq!(service.event("Exited")["voluntary"], true);
    service.stop();
}

fn stop(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let mut slow = service.connect();
    slow.send("/slow?ms=1000").expect("it is sent");
    let mut queued: Vec<_> = (0..10).map(|_| service.connect()).collect();
    for client in &mut queued {
        client.send("/slow?ms=100").expect("it is sent");
    }
    let pids = service.worker_pids();
    service.signal(Signal::SIGTERM);
    service.event("Stopping");
    let asked = Instant::now();
    until("connections are refused", || {
        matches!(Client::connect(&service.address), Err(e) if e.kind() == io::ErrorKind::ConnectionRefused)
            .then_some(())
    });
    assert!(asked.elapsed() < Duration::from_secs(5), "about 100 ms, on a slow machine");
    for client in &mut queued {
        assert_eq!(client.receive().expect("it was connected before").status, 200);
    }
    assert_eq!(slow.receive().expect("it was in flight").status, 200);
    assert!(service.wait().success());
    for pid in pids {
        assert!(!exists(pid), "{pid} is left, perhaps as a zombie");
    }
}

fn stop_with_a_hung_worker(workers: usize) {
    let mut service = Start::workers(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "1s").ready();
    let hung = pid_of(&service.get("/"));
    send(hung, Signal::SIGSTOP);
    service.signal(Signal::SIGTERM);
    until("connections are refused", || {
        matches!(Client::connect(&service.address), Err(e) if e.kind() == io::ErrorKind::ConnectionRefused)
            .then_some(())
    });
    assert!(!gone(hung), "it was refused before the hung worker was killed");
    assert!(service.wait().success());
    assert!(gone(hung));
}

fn second_term(workers: usize) {
    let mut service = Start::workers(workers).ready();
    let mut slow = service.connect();
    slow.send("/slow?ms=60000").expect("it is sent");
    service.get("/");
    service.signal(Signal::SIGTERM);
    service.event("Stopping");
    service.signal(Signal::SIGTERM);
    service.wait();
    slow.receive().expect_err("it was cut");
}

fn hung(workers: usize) {
    let mut service = Start::workers(workers)
        .env("HEALTH_REPORT_INTERVAL", "300ms")
        .env("WORKER_ABORT_GRACE", "200ms")
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
    assert!(idle.iter().filter(|pid| **pid != victim).all(|pid| now.contains(pid)), "others live");
    // One that cannot even be aborted is killed.
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
    // As a laptop whose lid is closed: everybody stops, and later goes on.
    for pid in &pids {
        send(*pid, Signal::SIGSTOP);
    }
    service.signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(3)); // the suspension itself
    service.signal(Signal::SIGCONT);
    for pid in &pids {
        send(*pid, Signal::SIGCONT);
    }
    // Everybody has reported again, and the primary has looked several times.
    for _ in 0..5 {
        let heard = service.stats()["workers"][0]["lastHealthCheck"].clone();
        until("a worker reports again", || {
            (service.stats()["workers"][0]["lastHealthCheck"] != heard).then_some(())
        });
    }
    assert_eq!(service.worker_pids(), pids, "nobody was killed");
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
    let _ = io::Read::read_to_end(&mut h2, &mut rest); // it ends, in whatever way
    for event in service.events().iter().filter(|event| event["event"] == "Exited") {
        assert_eq!(event["voluntary"], true);
    }
}

fn crash_loop(workers: usize) {
    let start = Start::workers(workers)
        .env("WORKER_MAX_EARLY_DEATHS", 4)
        .env("WORKER_RESTART_DELAY", "20ms");
    start.program().deploy(1, crate::lab::Conduct::ExitsAtBoot);
    let mut service = start.spawn();
    for _ in 0..workers {
        assert_eq!(service.event("Errored")["failures"], 4);
    }
    for slot in 0..workers {
        let all = service.events();
        let delays = all.iter().filter(|it| it["event"] == "BackingOff" && it["slot"] == slot);
        let bounds = [20, 40, 80];
        for (delay, bound) in delays.zip(bounds) {
            let delay = delay["milliseconds"].as_u64().expect("a number");
            assert!(delay <= bound, "{delay} ms, with full jitter up to {bound}");
        }
        let spawned = all.iter().filter(|it| it["event"] == "Spawned" && it["slot"] == slot);
        assert_eq!(spawned.count(), 4);
    }
    assert_eq!(service.stats()["workers"][0]["state"], "errored");
    service.program().deploy(2, crate::lab::Conduct::Good);
    assert_eq!(service.admin("POST", "/reload", "").0, 200);
    service.event("ReloadFinished");
    service.stop();
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
    while !fat.get("/").expect("it drains gracefully").closes {} // soon it hears of it
    let exited = service.event("Exited");
    assert_eq!((&exited["pid"], &exited["code"]), (&pid_of(&reply).into(), &0.into()));
    let now = service.worker_pids();
    assert!(before.iter().filter(|pid| **pid != pid_of(&reply)).all(|pid| now.contains(pid)));
    assert_eq!(now.len(), workers);
    service.stop();
}

fn manifest(workers: usize) {
    // A shell that has others open: they must not reach the workers.
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
        // Nothing is handed over in this cluster, so the channel for it has been closed, or soon is.
        assert!(is(5, "socket:") || !open.contains_key(&5), "{open:?}");
        // The rest is the runtime's own, and none of it is the shell's or the primary's.
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
