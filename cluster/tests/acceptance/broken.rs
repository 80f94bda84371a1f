//! Scenarios 12 to 17: a broken new version does no damage.

use std::collections::BTreeSet;
use std::fs;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::Scenario;
use crate::lab::{Conduct, Kind, Load, Service, Start, children, gone, send, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s12_a_version_that_exits_at_boot", &[1, 3], exits_at_boot),
    ("s12_a_version_with_a_different_protocol", &[1, 3], speaks_gibberish),
    ("s12_a_version_that_cannot_be_started", &[1, 3], no_program),
    ("s12_a_refused_version_leaves_the_old_ones_healthy", &[1, 3], old_ones_stay_healthy),
    ("s13_a_version_that_never_gets_ready", &[1, 3], never_ready),
    ("s14_a_second_reload_is_refused", &[1, 3], second_reload),
    ("s15_a_stop_during_a_reload", &[1, 3], stop_in_reload),
    ("s16_a_reload_reads_the_settings_again", &[1, 3], settings),
    ("s17_a_stuck_cluster_is_recovered_by_a_reload", &[1, 3], recovered),
    ("s36_a_newcomer_that_dies_shortly_after_ready", &[1, 3], dies_after_ready),
    ("s36_a_newcomer_that_dies_when_its_old_one_is_gone", &[3], dies_after_drain),
    ("s36_a_newcomer_that_dies_when_the_reload_has_failed", &[2], dies_after_failure),
];

fn reload(service: &Service) -> (u16, Value) {
    service.admin("POST", "/reload", "")
}

/// A failed reload: the reason is the expected one, the workers are still the old ones, and nothing
/// is lost.
fn refused(service: Service, reason: &str) {
    let old = service.worker_pids();
    let load = Load::start(Kind::FreshPosts, 2, &service.address);
    load.wait_for(5);
    unchanged(&service, &old, reason);
    load.wait_for(5);
    let (_, losses) = load.finish();
    assert!(losses.is_empty(), "{losses:#?}");
    service.stop();
}

fn unchanged(service: &Service, old: &[u32], reason: &str) {
    let (status, answer) = reload(service);
    assert!(status >= 400, "{status} {answer}");
    let error = answer["error"].as_str().expect("there is a reason");
    assert!(error.contains(reason), "{error}");
    until("the workers are exactly the old ones", || (service.worker_pids() == old).then_some(()));
    assert_eq!(service.get("/").number("version"), 1);
    assert_eq!(service.stats()["primary"]["lastReloadError"], answer["error"]);
}

fn exits_at_boot(workers: usize) {
    let service = Start::workers(workers).ready();
    service.program().deploy(2, Conduct::ExitsAtBoot);
    refused(service, "exited with code 3 before it was ready");
}

fn speaks_gibberish(workers: usize) {
    let service = Start::workers(workers).ready();
    service.program().deploy(2, Conduct::Gibberish);
    refused(service, "protocol version 99");
}

fn no_program(workers: usize) {
    let mut service = Start::workers(workers).ready();
    fs::remove_file(service.program().path()).expect("it is ours");
    // A signal has no reply, so the program gets an event.
    service.signal(Signal::SIGHUP);
    let why = service.event("ReloadRefused")["why"].clone();
    assert!(why.as_str().is_some_and(|why| why.contains("cannot open the program")), "{why}");
    refused(service, "cannot open the program");
}

/// The settings of a refused version apply to workers that start later. Such a worker, of the old
/// version, reports at the new interval, and the primary expects its reports at the same one.
fn old_ones_stay_healthy(workers: usize) {
    let start = Start::workers(workers);
    let file = start.folder().join("app.toml");
    fs::write(&file, "health_report_interval = \"10s\"\n").expect("there is room");
    let mut service = start.env("CLUSTER_CONFIG", file.display()).ready();
    let old = service.worker_pids();
    fs::write(&file, "health_report_interval = \"1s\"\n").expect("there is room");
    service.program().deploy(2, Conduct::ExitsAtBoot);
    unchanged(&service, &old, "exited with code 3 before it was ready");

    let victim = i32::try_from(old[0]).expect("it is a pid");
    kill(Pid::from_raw(victim), Signal::SIGKILL).expect("it exists");
    service.event_where("Exited", |event| event["pid"] == victim);
    let replacement = service.event("Listening")["worker"].clone();
    let mut reports = BTreeSet::new();
    until("it has reported a few times, a second apart", || {
        let events = service.events();
        let ill = events.iter().find(|event| event["event"] == "Unhealthy");
        assert!(ill.is_none(), "{ill:?}");
        let stats = service.stats();
        let worker = stats["workers"].as_array()?.iter().find(|it| it["id"] == replacement)?;
        reports.insert(worker["lastHealthCheck"].as_str()?.to_owned());
        (reports.len() > 2).then_some(())
    });
    service.stop();
}

fn never_ready(workers: usize) {
    let service = Start::workers(workers)
        .env("WORKER_READY_TIMEOUT", "300ms")
        .env("WORKER_TERM_GRACE", "200ms")
        .ready();
    service.program().deploy(2, Conduct::NeverReady);
    refused(service, "not ready within 300ms");
}

fn second_reload(workers: usize) {
    let mut service = Start::workers(workers).ready();
    service.program().deploy(2, Conduct::NeverReady);
    service.signal(Signal::SIGHUP);
    service.event("ReloadStarted");
    let (status, answer) = reload(&service);
    assert_eq!(status, 409, "{answer}");
    let error = answer["error"].as_str().expect("there is a reason");
    assert!(error.contains("a reload is under way"), "{error}");
    service.stop();
}

fn stop_in_reload(workers: usize) {
    let mut service = Start::workers(workers).ready();
    service.program().deploy(2, Conduct::NeverReady);
    service.signal(Signal::SIGHUP);
    service.event("ReloadStarted");
    let all = until("the newcomer exists", || {
        Some(children(service.pid())).filter(|pids| pids.len() == workers + 1)
    });
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
    for pid in all {
        assert!(gone(pid), "{pid} is left behind");
    }
}

fn settings(workers: usize) {
    let mut start = Start::workers(workers);
    let file = start.folder().join("app.toml");
    let write = |lines: &str| fs::write(&file, lines).expect("there is room");
    write("listen = \"127.0.0.1:0\"\nmax_workers = 9\n");
    start.command().env_remove("CLUSTER_LISTEN"); // it would override the file
    let service = start.env("CLUSTER_CONFIG", file.display()).ready();
    let most = |service: &Service| service.stats()["cluster"]["maxWorkers"].clone();
    assert_eq!(most(&service), 9);
    let refused = |lines: &str, reasons: &[&str]| {
        write(lines);
        let (status, answer) = reload(&service);
        let error = answer["error"].as_str().expect("there is a reason");
        assert!(status >= 400, "{status} {error}");
        assert!(reasons.iter().all(|reason| error.contains(reason)), "{error}");
        assert_eq!(most(&service), 9, "the old settings stay");
        assert_eq!(service.get("/").number("generation"), 1, "at the old address");
    };
    let same = "listen = \"127.0.0.1:0\"\n";
    refused(
        &format!("{same}max_workers = 0\nready_timeout = \"soon\"\n"),
        &["max_workers", "ready_timeout", "soon"],
    );
    refused("listen = \"127.0.0.1:1\"\nmax_workers = 12\n", &["listen", "restart"]);
    refused(&format!("{same}sharing = \"hand-off\"\n"), &["sharing", "restart"]);

    write(&format!("{same}max_workers = 12\n"));
    assert_eq!(reload(&service).0, 200);
    assert_eq!(most(&service), 12);
    service.stop();
}

/// A version that dies early occupies all slots; the next version recovers them.
fn recovered(workers: usize) {
    let start = Start::workers(workers)
        .env("WORKER_MAX_EARLY_DEATHS", 2)
        .env("WORKER_RESTART_DELAY", "1ms");
    start.program().deploy(1, Conduct::ExitsAtBoot);
    let mut service = start.spawn();
    for _ in 0..workers {
        service.event("Errored");
    }
    assert_eq!(service.stats()["cluster"]["erroredSlots"], workers);
    assert_ne!(reload(&service).0, 200, "it is still broken");
    service.program().deploy(2, Conduct::Good);
    assert_eq!(reload(&service).0, 200);
    assert_eq!(service.stats()["cluster"]["healthyWorkers"], workers);
    service.serving();
    assert_eq!(service.get("/").number("version"), 2);
    service.stop();
}

/// The newcomer dies within `min_ready`: the old worker was never drained.
fn dies_after_ready(workers: usize) {
    let service = Start::workers(workers).env("WORKER_MIN_READY", "30s").ready();
    service.program().deploy(2, Conduct::DiesAtOnce);
    let old = service.worker_pids();
    unchanged(&service, &old, "exited with code 7"); // the connections that it had accepted died with it
    service.stop();
}

/// The newcomer dies when the old worker of its slot has already been drained and the reload is
/// busy with the next slot: the newcomer's slot is filled again from the old version.
fn dies_after_drain(workers: usize) {
    let mut service = Start::workers(workers).env("DRAIN_WINDOW", "100ms").ready();
    service.program().deploy(2, Conduct::DiesOnCue);
    let socket = format!("unix:{}", service.program().folder().join("admin.sock").display());
    let request = thread::spawn(move || {
        let mut client = crate::lab::Client::connect(&socket).expect("the admin API is reachable");
        client.post("/reload", b"").expect("it answers")
    });
    service.event("Draining");
    fs::write(service.program().folder().join("die"), "").expect("there is room");
    let failed = service.event("ReloadFailed");
    let why = failed["why"].as_str().expect("there is a reason");
    assert!(why.contains("exited with code 7"), "{why}");
    let answer = request.join().expect("it does not panic");
    assert!(answer.status >= 400 && answer.body.contains("exited with code 7"), "{answer:?}");
    until("the capacity is restored", || {
        let stats = service.stats();
        (stats["cluster"]["healthyWorkers"] == workers).then_some(())
    });
    service.stop();
}

/// The reload fails in the second slot. The worker of the new version in the first one dies after that,
/// and early: its slot goes back to the old version too.
fn dies_after_failure(workers: usize) {
    let mut service = Start::workers(workers)
        .env("DRAIN_WINDOW", "100ms")
        .env("WORKER_MIN_UPTIME", "10m")
        .ready();
    service.program().deploy(2, Conduct::Good);
    service.signal(Signal::SIGHUP);
    let first = service.event_where("Spawned", |event| event["generation"] == 2);
    let second = service.event_where("Spawned", |event| event["generation"] == 2);
    let pid = |event: &Value| u32::try_from(event["pid"].as_u64().expect("a pid")).expect("small");
    send(pid(&second), Signal::SIGKILL);
    service.event("ReloadFailed");
    send(pid(&first), Signal::SIGKILL);
    let next = service.event_where("Spawned", |event| event["slot"] == first["slot"]);
    assert_eq!(next["generation"], 1, "the version before the one that failed");
    service.event_where("Listening", |event| event["worker"] == next["worker"]);
    for _ in 0..8 {
        assert_eq!(service.get("/").number("version"), 1);
    }
    service.stop();
}
