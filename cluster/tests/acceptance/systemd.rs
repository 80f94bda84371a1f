//! Scenario 48: the notifications for systemd, received by a socket that stands in for systemd.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{PATIENCE, Service, Start};

pub const SCENARIOS: &[Scenario] = &[
    ("s48_watchdog_is_notified_by_the_loop", &[1], watchdog),
    ("s48_refused_reload_ends_for_systemd_too", &[1, 3], refused_reload),
    ("s48_start_is_complete_when_one_slot_failed_and_others_serve", &[3], part_of_the_slots),
    ("s48_reload_that_comes_during_a_reload_follows_it", &[1, 3], second_reload),
    ("s48_status_follows_an_outage", &[1], outage),
    ("s48_stop_during_a_reload_is_not_followed_by_ready", &[1], stop_in_a_reload),
];

/// A socket that receives the notifications for systemd.
struct Manager(UnixDatagram);

impl Manager {
    fn of(start: &Start) -> Self {
        let socket = UnixDatagram::bind(start.folder().join("notify.sock")).expect("it is free");
        socket.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
        Self(socket)
    }

    fn next(&self) -> String {
        let mut message = [0; 512];
        let length = self.0.recv(&mut message).expect("a notification arrives");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }

    /// The next notification that contains this line.
    fn receives(&self, line: &str) -> String {
        loop {
            let message = self.next();
            if message.lines().any(|it| it.starts_with(line)) {
                return message;
            }
        }
    }
}

fn notifying(workers: usize) -> (Start, Manager) {
    let start = Start::workers(workers);
    let manager = Manager::of(&start);
    let socket = start.folder().join("notify.sock");
    (start.env("NOTIFY_SOCKET", socket.display()), manager)
}

fn watchdog(workers: usize) {
    let (start, systemd) = notifying(workers);
    let service = start
        .env("WATCHDOG_USEC", 200_000)
        .env("CLUSTER_SHARING", "hand-off")
        .env("FIXTURE_STRATEGY", "hangs")
        .ready();
    systemd.receives("READY=1");
    for _ in 0..3 {
        systemd.receives("WATCHDOG=1");
    }
    let _client = service.connect(); // the strategy hangs, and so does the loop
    systemd.0.set_read_timeout(Some(Duration::from_secs(2))).expect("it is a socket");
    let silent = (0..20).any(|_| {
        let error = systemd.0.recv(&mut [0; 512]).err();
        error.is_some_and(|error| error.kind() == ErrorKind::WouldBlock)
    });
    assert!(silent, "a hung loop sends no watchdog");
}

fn refused_reload(workers: usize) {
    let (start, systemd) = notifying(workers);
    let mut service = start.ready();
    let ready = systemd.receives("READY=1");
    assert!(ready.contains(&format!("STATUS={workers} workers serve on ")), "{ready}");
    fs::remove_file(service.program().path()).expect("it is ours");
    service.signal(Signal::SIGHUP);
    let reloading = systemd.receives("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    let status = systemd.receives("READY=1");
    assert!(status.contains("STATUS=reload refused: cannot open the program"), "{status}");
    service.program().deploy(2, crate::lab::Conduct::ExitsAtBoot);
    service.signal(Signal::SIGHUP);
    systemd.receives("RELOADING=1");
    let status = systemd.receives("READY=1");
    assert!(status.contains("STATUS=reload failed: worker"), "{status}");
    stops(&mut service, &systemd);
}

fn part_of_the_slots(workers: usize) {
    let (start, systemd) = notifying(workers);
    let start = start.env("FIXTURE_STUCK_SLOT", 1).env("WORKER_READY_TIMEOUT", "500ms");
    let service = start.spawn();
    let ready = systemd.receives("READY=1");
    assert!(ready.contains("STATUS=2 workers serve on "), "{ready}");
    drop(service);
}

/// A signal has no caller that could be asked to try again later.
fn second_reload(workers: usize) {
    let (start, systemd) = notifying(workers);
    let mut service = start.env("WORKER_READY_TIMEOUT", "1s").ready();
    systemd.receives("READY=1");
    service.program().deploy(2, crate::lab::Conduct::NeverReady);
    service.signal(Signal::SIGHUP);
    systemd.receives("RELOADING=1");
    service.event("Spawned"); // the newcomer of the first reload
    service.program().deploy(3, crate::lab::Conduct::Good);
    service.signal(Signal::SIGHUP);
    service.logged("another one follows it");
    service.event("ReloadFailed");
    service.event("ReloadFinished");
    let ready = systemd.receives("READY=1");
    assert!(ready.contains("workers serve on"), "the status of the second reload, not {ready}");
    assert_eq!(service.get("/").number("version"), 3);
    stops(&mut service, &systemd);
}

fn outage(workers: usize) {
    let (start, systemd) = notifying(workers);
    let start = start.env("WORKER_MAX_EARLY_DEATHS", 1).env("WORKER_RESTART_DELAY_MAX", "6s");
    let mut service = start.env("WORKER_MIN_UPTIME", "1h").ready();
    systemd.receives("READY=1");
    let _ = service.connect().get("/exit?code=9"); // a worker that exits might not answer
    systemd.receives("STATUS=no worker is ready; connections are refused");
    systemd.receives("STATUS=1 workers serve on ");
    service.logged("a worker is ready; connections are accepted");
    stops(&mut service, &systemd);
}

fn stop_in_a_reload(workers: usize) {
    let (start, systemd) = notifying(workers);
    let mut service = start.ready();
    service.program().deploy(2, crate::lab::Conduct::NeverReady);
    service.signal(Signal::SIGHUP);
    systemd.receives("RELOADING=1");
    stops(&mut service, &systemd);
}

/// `STOPPING=1` is the last notification.
fn stops(service: &mut Service, systemd: &Manager) {
    service.signal(Signal::SIGTERM);
    systemd.receives("STOPPING=1");
    assert!(service.wait().success());
    systemd.0.set_nonblocking(true).expect("it is a socket");
    let rest = systemd.0.recv(&mut [0; 512]);
    assert_eq!(rest.expect_err("nothing follows").kind(), ErrorKind::WouldBlock);
}
