//! Scenarios 57 to 60: folders, addresses and variables that a cluster finds where it is started.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

use super::Scenario;
use crate::lab::{Client, Start};

pub const SCENARIOS: &[Scenario] = &[
    ("s57_folder_whose_name_is_not_utf8_works", &[1, 3], odd_folder),
    ("s58_ipv4_and_ipv6_share_a_port", &[1, 3], both_families),
    ("s59_temporary_folder_with_a_long_name_has_a_fallback", &[1], long_folder),
    ("s59_service_runs_without_a_place_for_the_admin_socket", &[1, 3], no_place),
    ("s59_admin_socket_that_was_asked_for_is_an_error", &[1], no_place_though_asked),
    ("s60_variables_of_other_programs_do_not_stop_the_start", &[1, 3], variables_of_others),
];

/// The port belongs to a socket of the test that does not listen, so the kernel does not give it to
/// any other socket.
fn both_families(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        for (first, second) in [("0.0.0.0", "[::]"), ("[::]", "0.0.0.0")] {
            let reserved = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there is room");
            reserved.set_reuse_address(true).expect("a plain option");
            reserved.bind(&SocketAddr::from(([0; 4], 0)).into()).expect("there is a free port");
            let port = reserved.local_addr().expect("bound").as_socket().expect("TCP").port();
            let listen = format!("{first}:{port},other={second}:{port}");
            let start = Start::workers(workers).env("CLUSTER_SHARING", sharing);
            let mut service = start.env("CLUSTER_LISTEN", &listen).ready();
            let ask = |host: &str, generation: u64| {
                let client = Client::connect(&format!("{host}:{port}"));
                let reply = client.expect("it listens").get("/").expect("it answers");
                assert_eq!(reply.number("generation"), generation, "{sharing} {listen}");
            };
            ask("127.0.0.1", 1);
            ask("[::1]", 1);
            service.signal(Signal::SIGHUP);
            service.event("ReloadFinished");
            ask("127.0.0.1", 2);
            ask("[::1]", 2);
            service.stop();
        }
    }
}

/// The folder's name is Latin-1; the client reaches it through a link with a plain name.
fn odd_folder(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let mut start = Start::workers(workers).env("CLUSTER_SHARING", sharing);
        let odd = start.folder().join(OsStr::from_bytes(b"caf\xe9"));
        let plain = start.folder().join("link");
        fs::create_dir(&odd).expect("there is room");
        symlink(&odd, &plain).expect("it is free");
        let settings = "listen = \"unix:app.sock\"\npid_file = \"app.pid\"\n";
        fs::write(odd.join("app.toml"), settings).expect("there is room");
        start = start.env("CLUSTER_CONFIG", "app.toml").env("CLUSTER_API_SOCKET", "admin.sock");
        start.command().current_dir(&odd).env_remove("CLUSTER_LISTEN").env_remove("PWD");
        let mut service = start.ready();
        let pid = fs::read_to_string(odd.join("app.pid")).expect("it exists");
        assert_eq!(pid.trim(), service.pid().to_string());
        let address = format!("unix:{}", plain.join("app.sock").display());
        let get = || Client::connect(&address).expect("it listens").get("/").expect("it answers");
        assert_eq!(get().status, 200);
        service.signal(Signal::SIGHUP);
        service.event("ReloadFinished");
        assert_eq!(get().number("generation"), 2);
        assert!(odd.join("admin.sock").exists());
        service.signal(Signal::SIGTERM);
        assert!(service.wait().success());
        for name in ["app.sock", "app.pid", "admin.sock"] {
            assert!(!odd.join(name).exists(), "{name} is left behind");
        }
    }
}

/// A cluster whose admin socket is at the default place.
fn by_default(workers: usize) -> Start {
    let mut start = Start::workers(workers);
    start.command().env_remove("CLUSTER_API_SOCKET").env_remove("XDG_RUNTIME_DIR");
    start
}

fn long_folder(workers: usize) {
    for variable in ["TMPDIR", "XDG_RUNTIME_DIR"] {
        let mut start = by_default(workers);
        start.command().env_remove("TMPDIR");
        let long = start.folder().join("x".repeat(100));
        fs::create_dir(&long).expect("there is room");
        let mut service = start.env(variable, long.display()).spawn();
        let shorter = format!("unix:/tmp/cluster-{}.sock", service.pid());
        assert_eq!(service.event("AdminApi")["address"], *shorter);
        service.serving();
        let health = Client::connect(&shorter).expect("it listens").get("/health");
        assert_eq!(health.expect("it answers").status, 200);
        let path = long.join(format!("cluster-{}-4.sock", service.pid()));
        let length = path.as_os_str().len();
        service.logged(&format!("its path would have {length} bytes, and the limit for a Unix"));
        service.stop();
        assert!(Client::connect(&shorter).is_err(), "it was removed");
    }
}

fn no_place(workers: usize) {
    for folder in ["/proc", "/nowhere", "/dev/null"] {
        let mut service = by_default(workers).env("TMPDIR", folder).spawn();
        assert!(service.event("AdminApi")["address"].is_null());
        service.serving();
        assert_eq!(service.get("/").status, 200, "{folder}");
        service.logged("continuing without the admin API");
        service.signal(Signal::SIGHUP);
        service.event("ReloadFinished");
        service.signal(Signal::SIGTERM);
        assert!(service.wait().success());
        let log = service.whole_log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains("admin API")).collect();
        let [line] = lines.as_slice() else { panic!("one line, not {lines:?}") };
        assert!(line.contains("WARN") && line.contains("set CLUSTER_API_SOCKET"), "{line}");
        assert!(line.contains(folder), "{line}");
    }
}

fn no_place_though_asked(workers: usize) {
    let start = Start::workers(workers);
    let mut service = start.env("CLUSTER_API_SOCKET", "/nowhere/admin.sock").spawn();
    assert_eq!(service.wait().code(), Some(1));
    service.logged("the admin API cannot listen on /nowhere/admin.sock");
    assert!(service.all_events().is_empty(), "nothing was spawned");
}

fn variables_of_others(workers: usize) {
    let mut service = Start::workers(workers)
        .env("CLUSTER_API_PORT", "tcp://10.96.0.10:443")
        .env("CLUSTER_AP_PORT", "tcp://10.96.0.11:443")
        .env("LOG_FORMAT", "logfmt")
        .env("WORKER_MEMORY_LIMIT", "")
        .ready();
    assert_eq!(service.get("/").status, 200);
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    assert_eq!(service.admin("GET", "/health", "").0, 200, "the socket is where it was asked for");
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
    let log = service.whole_log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("is ignored")).collect();
    let [port, format] = lines.as_slice() else { panic!("two lines, not {lines:?}") };
    assert!(port.contains("WARN CLUSTER_API_PORT=tcp://10.96.0.10:443 is ignored"), "{port}");
    assert!(format.contains("WARN LOG_FORMAT=logfmt is ignored"), "{format}");
}
