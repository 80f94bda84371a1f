//! Scenarios 49 and 50: an outage ends, and the service recovers without human help.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{Client, Service, Start, queued, send, state, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s49_program_that_fails_for_a_while_is_tried_until_it_works", &[1, 3], fails),
    ("s49_program_that_hangs_at_boot_does_not_keep_clients_waiting", &[1], hangs),
    ("s49_unix_socket_refuses_and_comes_back", &[1], unix),
    ("s49_socket_of_systemd_turns_clients_away_and_comes_back", &[1], systemd),
    ("s49_outage_from_the_start_does_not_keep_clients_waiting", &[1], from_the_start),
    ("s49_port_suspended_from_the_start_serves_whole_connections", &[1, 3], tcp_from_the_start),
    ("s49_port_taken_during_an_outage_is_tried_until_it_is_free", &[1, 3], port_is_taken),
    ("s49_connections_of_a_hung_worker_come_back_during_an_outage", &[1], given_back),
    ("s50_full_process_table_is_survived", &[1, 3], no_room),
];

/// Clients wait for five seconds at most; a slow machine may take a little longer.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

fn short(workers: usize) -> Start {
    Start::workers(workers)
        .env("WORKER_MAX_EARLY_DEATHS", 3)
        .env("WORKER_RESTART_DELAY", "20ms")
        .env("WORKER_RESTART_DELAY_MAX", "500ms")
}

/// From now on, each worker does this at boot.
fn breaks(service: &Service, how: &str) {
    fs::write(service.program().folder().join("broken"), how).expect("there is room");
    for pid in service.worker_pids() {
        send(pid, Signal::SIGKILL);
    }
}

fn is_mended(service: &Service) {
    fs::remove_file(service.program().folder().join("broken")).expect("it exists");
}

/// A client that connects now is soon refused.
fn refuses_soon(address: &str) {
    let asked = Instant::now();
    let answered = Client::connect(address).and_then(|mut client| client.get("/"));
    assert!(answered.is_err(), "there is no worker, and {:?}", answered.map(|it| it.body));
    assert!(asked.elapsed() < REFUSED_WITHIN, "after {:?}", asked.elapsed());
    until("further clients are refused at once", || {
        let error = Client::connect(address).and_then(|mut client| client.get("/")).err()?;
        (error.kind() != ErrorKind::TimedOut).then_some(())
    });
}

fn serves_again(service: &mut Service) {
    service.event("Listening");
    until("clients are served", || Client::connect(&service.address).ok()?.get("/").ok());
    assert_eq!(service.stats()["cluster"]["numWorkers"].as_u64().map(|it| it > 0), Some(true));
}

fn fails(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let mut service = short(workers).env("CLUSTER_SHARING", sharing).ready();
        breaks(&service, "exits");
        for _ in 0..workers {
            service.event("Errored");
        }
        refuses_soon(&service.address);
        let errored = || service.stats()["cluster"]["erroredSlots"].as_u64();
        assert_eq!(errored(), Some(workers as u64), "the stats show it");
        let health = service.admin("GET", "/health", "").0;
        assert_eq!(health, 503, "no worker is ready");
        is_mended(&service);
        serves_again(&mut service);
        until("all slots are well after the minimum up-time", || {
            (service.stats()["cluster"]["erroredSlots"] == 0).then_some(())
        });
        service.stop();
    }
}

fn hangs(workers: usize) {
    let mut service = short(workers).env("WORKER_READY_TIMEOUT", "8s").ready();
    breaks(&service, "hangs");
    refuses_soon(&service.address);
    is_mended(&service);
    serves_again(&mut service);
    service.stop();
}

fn unix(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let mut service = short(workers).unix().env("CLUSTER_SHARING", sharing).ready();
        breaks(&service, "exits");
        refuses_soon(&service.address);
        is_mended(&service);
        serves_again(&mut service);
        service.stop();
    }
}

fn systemd(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let socket = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = socket.local_addr().expect("it is bound").to_string();
        let mut start = short(workers)
            .env("CLUSTER_SHARING", sharing)
            .env("CLUSTER_LISTEN", "systemd:web")
            .env("LISTEN_FDS", 1)
            .env("LISTEN_FDNAMES", "web");
        pass(&mut start, &socket);
        let mut service = start.ready();
        service.address = address;
        breaks(&service, "exits");
        service.event("Suspended");
        refuses_soon(&service.address);
        is_mended(&service);
        serves_again(&mut service);
        service.stop();
    }
}

/// Descriptor 3 is the socket, and the variable that names the pid is not set.
#[allow(unsafe_code)]
fn pass(start: &mut Start, socket: &TcpListener) {
    let socket = socket.try_clone().expect("there is room");
    let place = move || {
        let high = fcntl(&socket, FcntlArg::F_DUPFD(100))?;
        // SAFETY: both are numbers of this child, which is about to become another program.
        match unsafe { libc::dup2(high, 3) } {
            3 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: it calls nothing but system calls, and allocates nothing.
    unsafe { start.command().pre_exec(place) };
}

/// The TCP port is suspended before it has ever listened. A client that sends nothing at first must
/// find its connection intact afterwards.
fn tcp_from_the_start(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let start = short(workers).env("CLUSTER_SHARING", sharing);
        fs::write(start.folder().join("broken"), "exits").expect("there is room");
        let mut service = start.spawn();
        service.event("Suspended");
        is_mended(&service);
        service.serving();
        let mut clients: Vec<Client> = (0..10).map(|_| service.connect()).collect();
        until("all are accepted", || (queued(&service.address) == 0).then_some(()));
        for client in &mut clients {
            assert_eq!(client.get("/").expect("it is answered").status, 200, "{sharing}");
        }
        service.stop();
    }
}

/// A Unix socket listens as soon as it is bound.
fn from_the_start(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let start = short(workers).unix().env("CLUSTER_SHARING", sharing);
        let (folder, socket) = (start.folder(), start.folder().join("app.sock"));
        fs::write(folder.join("broken"), "exits").expect("there is room");
        let mut service = start.spawn();
        service.address = format!("unix:{}", socket.display());
        until("it exists", || socket.exists().then_some(()));
        refuses_soon(&service.address);
        is_mended(&service);
        serves_again(&mut service);
        service.stop();
    }
}

fn port_is_taken(workers: usize) {
    let mut service = short(workers).ready();
    breaks(&service, "exits");
    service.event("Suspended");
    let thief = TcpListener::bind(&service.address).expect("nothing listens there");
    is_mended(&service);
    service.logged("the ports cannot be opened again, and are tried every second");
    drop(thief);
    until("clients are served", || Client::connect(&service.address).ok()?.get("/").ok());
    service.stop();
}

/// The primary has given the connections to a worker that hangs; when the worker is killed, they
/// come back.
fn given_back(workers: usize) {
    let mut service = short(workers)
        .env("CLUSTER_SHARING", "hand-off")
        .env("HEALTH_REPORT_INTERVAL", "500ms")
        .env("WORKER_ABORT_GRACE", "7s")
        .ready();
    fs::write(service.program().folder().join("broken"), "exits").expect("there is room");
    let hung = service.worker_pids()[0];
    send(hung, Signal::SIGSTOP);
    until("it is stopped", || (state(hung) == Some('T')).then_some(()));
    let mut clients: Vec<Client> = (0..3).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/").expect("it is sent");
    }
    service.event("Suspended");
    service.event("Exited");
    for client in &mut clients {
        let asked = Instant::now();
        client.receive().expect_err("there is no worker");
        assert!(asked.elapsed() < REFUSED_WITHIN, "after {:?}", asked.elapsed());
    }
}

/// Other processes of the same user fill the process table.
fn no_room(workers: usize) {
    let start = short(workers).with_processes(PROCESSES);
    let user = start.user();
    let mut service = start.ready();
    let hogs = Hogs::start(user);
    for pid in service.worker_pids() {
        send(pid, Signal::SIGKILL);
    }
    for _ in 0..workers {
        let refused = service.event("StartRefused");
        let reason = refused["reason"].as_str().expect("text");
        assert!(reason.contains("the limit of processes and threads is reached"), "{reason}");
    }
    refuses_soon(&service.address);
    let refusals = || {
        let events = service.events();
        events.iter().filter(|event| event["event"] == "StartRefused").count()
    };
    until("it keeps trying", || (refusals() > 5 * workers).then_some(()));
    let log = service.log();
    assert_eq!(log.matches("it is tried again until there is room").count(), 1, "{log}");
    assert_eq!(service.stats()["cluster"]["erroredSlots"], 0, "a refused start never counts");
    drop(hogs);
    serves_again(&mut service);
    service.logged("workers can be started again");
    service.stop();
}

/// The user's limit on processes and threads: enough for the cluster.
const PROCESSES: u64 = 40;

/// More processes than the limit.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start(user: u32) -> Self {
        let hog = |_| Command::new("sleep").arg("600").uid(user).gid(user).spawn();
        Self((0..PROCESSES).map(hog).map(|hog| hog.expect("root may")).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}
