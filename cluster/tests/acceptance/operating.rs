//! The work of an operator: scaling, monitoring, limits, starting with systemd, pid files.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{Client, Start, state, until};

pub const SCENARIOS: &[Scenario] = &[
    ("operating_one_more_and_one_less", &[1, 3], one_more_one_less),
    ("operating_totals_never_run_backwards", &[1, 3], totals),
    ("operating_a_worker_that_has_answered_enough", &[1, 3], max_requests),
    ("operating_a_strategy_of_the_program", &[1, 3], own_strategy),
    ("operating_a_log_in_json", &[1], json_log),
    ("operating_a_pid_file", &[1], pid_file),
    ("operating_two_listeners", &[1, 3], two_listeners),
    ("operating_a_socket_of_systemd", &[1, 3], systemd),
    ("operating_an_errored_slot_is_reset", &[1], reset),
    ("operating_settings_that_are_wrong", &[1], wrong_settings),
];

fn one_more_one_less(workers: usize) {
    let mut service = Start::workers(workers).env("CLUSTER_MAX_WORKERS", workers + 1).ready();
    let healthy = |count: usize| {
        until(&format!("{count} workers are healthy"), || {
            (service.stats()["cluster"]["healthyWorkers"] == count).then_some(())
        });
    };
    service.signal(Signal::SIGTTIN);
    healthy(workers + 1);
    service.signal(Signal::SIGTTIN); // one too many
    service.logged("maximum");
    healthy(workers + 1);
    service.signal(Signal::SIGTTOU);
    healthy(workers);
    let (status, answer) = service.admin("POST", "/scale", r#"{"workers":99}"#);
    assert!(status >= 400 && answer["error"].is_string(), "{answer}");
    let exited = service.event("Exited");
    assert_eq!((&exited["code"], &exited["voluntary"]), (&0.into(), &true.into()));
    service.stop();
}

fn totals(workers: usize) {
    let mut service = Start::workers(workers).ready();
    for _ in 0..30 {
        service.get("/");
    }
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    for _ in 0..12 {
        service.get("/");
    }
    until("the last answers are reported", || {
        (service.stats()["primary"]["totalRequests"] == 42).then_some(())
    });
    let (_, metrics) = service.admin("GET", "/metrics", "");
    let metrics = metrics.as_str().expect("it is text");
    let lines = metrics.lines().filter(|line| line.starts_with("http_requests_total{"));
    let total: f64 = lines.map(|it| it.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum();
    assert!((total - 42.0).abs() < 0.5, "{total} in\n{metrics}");
    service.stop();
}

fn max_requests(workers: usize) {
    let mut service = Start::workers(workers).env("WORKER_MAX_REQUESTS", 20).ready();
    let mut client = service.connect();
    let worker = client.get("/").expect("it is served").number("worker");
    while !client.get("/").expect("it drains gracefully").closes {}
    let draining = service.event("Draining");
    assert_eq!((&draining["worker"], &draining["why"]), (&worker.into(), &"MaxRequests".into()));
    assert_eq!(service.event("Exited")["code"], 0);
    assert_eq!(service.get("/").status, 200);
    service.stop();
}

fn own_strategy(workers: usize) {
    let service = Start::workers(workers)
        .env("CLUSTER_SHARING", "hand-off")
        .env("FIXTURE_STRATEGY", "by-first-byte")
        .ready();
    // The primary looks only once, when it accepts. It is stopped until the first byte has arrived.
    let ask = |method: &[u8]| {
        service.signal(Signal::SIGSTOP);
        until("the primary is stopped", || (state(service.pid()) == Some('T')).then_some(()));
        let mut client = service.connect();
        client.write(method).expect("the kernel takes it");
        client.write(b" / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").expect("the same");
        service.signal(Signal::SIGCONT);
        client.receive().expect("it is served").number("slot")
    };
    for _ in 0..5 {
        assert_eq!(ask(b"GET"), 0);
        assert_eq!(ask(b"POST"), workers as u64 - 1);
    }
    service.stop();
}

fn json_log(workers: usize) {
    let service = Start::workers(workers).env("LOG_FORMAT", "json").ready();
    service.logged("serving on");
    let log = service.log();
    let line = log.lines().find(|line| line.contains("serving on")).expect("it was logged");
    let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
    assert_eq!((&line["level"], &line["workers"]), (&"INFO".into(), &workers.into()));
    service.stop();
}

fn pid_file(workers: usize) {
    let start = Start::workers(workers);
    let path = start.folder().join("app.pid");
    let service = start.env("CLUSTER_PID_FILE", path.display()).ready();
    assert_eq!(fs::read_to_string(&path).expect("it exists").trim(), service.pid().to_string());
    let mut second = Start::workers(workers).env("CLUSTER_PID_FILE", path.display()).spawn();
    assert_eq!(second.wait().code(), Some(1));
    second.logged("another primary is already running");
    service.stop();
    assert!(!path.exists());
}

fn two_listeners(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let start = Start::workers(workers).env("CLUSTER_SHARING", sharing);
        let path = format!("unix:{}", start.folder().join("ops.sock").display());
        let listen = format!("127.0.0.1:0,ops={path}");
        let mut service = start.env("CLUSTER_LISTEN", listen).ready();
        assert_eq!(service.get("/").status, 200);
        let ops = || Client::connect(&path).expect("it listens").get("/").expect("it answers");
        assert_eq!(ops().status, 200, "{sharing}");
        service.signal(Signal::SIGHUP);
        service.event("ReloadFinished");
        assert_eq!(ops().number("generation"), 2);
        service.stop();
    }
}

#[allow(unsafe_code)]
fn systemd(workers: usize) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = socket.local_addr().expect("it is bound").to_string();
    let mut start = Start::workers(workers).env("CLUSTER_LISTEN", "systemd:web");
    let path = start.program().path();
    start = start.path("/bin/sh".into()); // the shell's pid becomes the primary's
    let script = format!("export LISTEN_PID=$$; exec {}", path.display());
    start.command().arg("-c").arg(script).env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "web");
    // Not 3 itself: `dup2` of a number to itself would leave its close-on-exec flag set.
    let number = fcntl(&socket, FcntlArg::F_DUPFD_CLOEXEC(100)).expect("there is room");
    let pass = move || {
        // SAFETY: both are plain numbers, and the first is open in the child.
        match unsafe { nix::libc::dup2(number, 3) } {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: it calls nothing but a system call.
    unsafe { start.command().pre_exec(pass) };
    let service = start.ready();
    assert_eq!(service.address, address);
    assert_eq!(service.get("/").status, 200);
    service.stop();
    // The socket is systemd's: a client that connects now waits for the next start.
    Client::connect(&address).expect("it still listens");
}

fn reset(workers: usize) {
    let mut service = Start::workers(workers)
        .env("WORKER_MAX_EARLY_DEATHS", 1)
        .env("WORKER_MIN_UPTIME", "1h")
        .ready();
    let _ = service.connect().get("/exit?code=9");
    let slot = service.event("Errored")["slot"].clone();
    assert_eq!(service.admin("POST", "/reset", &format!("{{\"slot\":{slot}}}")).0, 200);
    service.event("Listening");
    assert_eq!(service.get("/").status, 200);
    service.stop();
}

fn wrong_settings(workers: usize) {
    let mut service = Start::workers(workers)
        .env("DRAIN_WINDOW", "soon")
        .env("WORKER_MEMORY_LIMIT", "1 elephant")
        .spawn();
    assert_eq!(service.wait().code(), Some(1));
    service.logged("DRAIN_WINDOW=soon");
    service.logged("WORKER_MEMORY_LIMIT=1 elephant");
    assert!(service.all_events().is_empty(), "nothing was spawned");
}
