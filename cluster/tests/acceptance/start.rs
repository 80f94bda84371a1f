//! Scenarios 44, 45 and 51: a cluster starts, or is refused before any port answers.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

use super::Scenario;
use crate::lab::{Client, Service, Start, children, skip, until};

pub const SCENARIOS: &[Scenario] = &[
    ("s44_forbidden_system_call_is_named_with_advice", &[1, 3], forbidden),
    ("s44_missing_dev_null_or_proc_is_named_with_advice", &[1, 3], missing),
    ("s44_limit_of_processes_is_named_and_nothing_panics", &[1, 3], few_processes),
    ("s44_full_log_file_does_not_kill_the_primary", &[1], full_log),
    ("s44_two_services_that_start_at_once_do_not_share_a_port", &[1, 3], two_at_once),
    ("s45_listener_that_is_never_served_is_named", &[1, 3], never_served),
    ("s51_removed_socket_file_is_created_again", &[1, 3], removed_files),
];

/// A port that the kernel does not give to any other test: the socket that holds it does not
/// listen, and allows others to bind it.
fn reserved() -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there is room");
    socket.set_reuse_address(true).expect("a plain option");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("there is a free port");
    let address = socket.local_addr().expect("it is bound").as_socket().expect("it is TCP");
    (socket, address.to_string())
}

/// Starts it while a client connects every 5 ms; it must exit with one line that contains all
/// `words`, and the client must not have received a byte.
fn is_refused(start: Start, words: &[&str]) {
    let (_reserved, address) = reserved();
    let ended = AtomicBool::new(false);
    let start = start.env("CLUSTER_LISTEN", &address).env("FIXTURE_PLAIN", 1);
    thread::scope(|scope| {
        let client = scope.spawn(|| client(&address, &ended));
        let mut service = start.spawn();
        let status = service.wait();
        ended.store(true, Ordering::Relaxed);
        assert_eq!(client.join().expect("it ends"), 0, "bytes that a client got");
        let log = service.whole_log();
        assert_eq!(status.code(), Some(1), "{log}");
        let said: Vec<&str> = log.lines().filter(|line| !line.contains(" INFO ")).collect();
        let [line] = said[..] else { panic!("more than one line, or none:\n{log}") };
        for word in words {
            assert!(line.contains(word), "{word:?} is not in: {line}");
        }
        assert!(children(service.pid()).is_empty());
    });
}

/// The number of bytes that a client gets if it never gives up.
fn client(address: &str, ended: &AtomicBool) -> usize {
    let mut got = 0;
    while !ended.load(Ordering::Relaxed) {
        let asked = TcpStream::connect(address).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
            stream.read(&mut [0; 64])
        });
        got += asked.unwrap_or(0);
        thread::sleep(Duration::from_millis(5)); // the client's own pace
    }
    got
}

/// Old seccomp profiles answer EPERM to calls that they do not know.
fn forbidden(workers: usize) {
    for (name, number) in
        [("close_range", libc::SYS_close_range), ("pidfd_open", libc::SYS_pidfd_open)]
    {
        let mut start = Start::workers(workers);
        forbid(&mut start, u32::try_from(number).expect("it is small"));
        is_refused(start, &[name, "seccomp", "Operation not permitted"]);
    }
}

/// Makes the kernel answer EPERM to one system call of the program.
#[allow(unsafe_code)]
fn forbid(start: &mut Start, number: u32) {
    let code = |code: u32| u16::try_from(code).expect("BPF codes are small");
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let eperm = libc::SECCOMP_RET_ERRNO | 1;
    let program = [
        step(code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), 0, 0, 0), // the call's number
        step(code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K), 0, 1, number),
        step(code(libc::BPF_RET | libc::BPF_K), 0, 0, eperm),
        step(code(libc::BPF_RET | libc::BPF_K), 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        prctl::set_no_new_privs()?;
        let filter = libc::sock_fprog { len: 4, filter: program.as_ptr().cast_mut() };
        // SAFETY: the kernel reads the filter, which outlives the call.
        match unsafe {
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter)
        } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: it calls nothing but system calls, and allocates nothing.
    unsafe { start.command().pre_exec(install) };
}

fn missing(workers: usize) {
    let can = Command::new("unshare").args(["--mount", "true"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        skip("this user cannot make a mount namespace (unshare --mount)");
    }
    for (script, words) in [
        ("mount -t tmpfs none /dev && exec \"$0\"", ["/dev/null", "mknod"]),
        ("umount -l /proc && exec \"$0\"", ["/proc", "mount -t proc"]),
    ] {
        let start = Start::workers(workers);
        let program = start.program().path();
        let mut start = start.path("unshare".into());
        start.command().args(["--mount", "sh", "-c", script]).arg(program);
        is_refused(start, &words);
    }
}

/// Limits from far too low to enough: the start is refused with a line, or the cluster serves, perhaps
/// with fewer workers.
fn few_processes(workers: usize) {
    let mut refused = 0;
    for limit in 1..=16 {
        let mut service = Start::workers(workers).with_processes(limit).spawn();
        let serves = until("it serves or is refused", || {
            let mut events = service.events().into_iter();
            let serves = events.any(|event| event["event"] == "Listening");
            let ended = service.has_ended();
            (serves || ended).then_some(!ended)
        });
        let log = if serves { service.log() } else { service.whole_log() };
        assert!(!log.contains("panicked"), "limit {limit}: {log}");
        if serves {
            service.stop();
            continue;
        }
        refused += 1;
        assert_eq!(service.wait().code(), Some(1), "limit {limit}: {log}");
        service.logged("the limit of processes and threads is reached; raise it (`ulimit -u`");
    }
    assert!(refused > 0, "a limit of one is too low");
}

/// By default, SIGXFSZ would end the primary.
#[allow(unsafe_code)]
fn full_log(workers: usize) {
    const LIMIT: u64 = 4096;
    let start = Start::workers(workers);
    let (program, log) = (start.program().path(), start.folder().join("log"));
    let mut start = start.path("sh".into());
    start.command().args(["-c", "exec \"$0\" 2> \"$1\""]).arg(program).arg(&log);
    let limit = || Ok(setrlimit(Resource::RLIMIT_FSIZE, LIMIT, LIMIT)?);
    // SAFETY: it calls nothing but a system call.
    unsafe { start.command().pre_exec(limit) };
    let service = start.ready();
    until("the log is full", || {
        service.signal(Signal::SIGUSR1); // a line each time
        (fs::metadata(&log).expect("it exists").len() >= LIMIT - 200).then_some(())
    });
    for _ in 0..20 {
        service.signal(Signal::SIGUSR1);
        service.get("/say"); // a worker writes too
    }
    service.stop();
}

fn two_at_once(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let (_reserved, address) = reserved();
        let start = || {
            let start = Start::workers(workers).env("CLUSTER_SHARING", sharing);
            start.env("CLUSTER_LISTEN", &address).spawn()
        };
        let (mut one, mut other) = (start(), start());
        until("one of them has exited", || (one.has_ended() || other.has_ended()).then_some(()));
        if one.has_ended() {
            std::mem::swap(&mut one, &mut other);
        }
        assert_eq!(other.wait().code(), Some(1));
        other.logged(&format!("cannot listen on {address}: the address is in use by"));
        assert!(!other.whole_log().contains("serving on"), "it never served");
        one.serving();
        let pids = one.worker_pids();
        for _ in 0..10 {
            let pid = super::life::pid_of(&one.get("/"));
            assert!(pids.contains(&pid), "{sharing}: the other one answers");
        }
        one.stop();
    }
}

fn never_served(workers: usize) {
    let start = Start::workers(workers)
        .env("CLUSTER_LISTEN", "127.0.0.1:0,ops=127.0.0.1:0")
        .env("FIXTURE_FORGETS", "ops")
        .env("WORKER_READY_TIMEOUT", "300ms");
    let mut service = start.spawn();
    let why = service.event("Unhealthy")["why"].as_str().expect("text").to_owned();
    let expected =
        "was not ready within 300ms: it is waiting for its program to serve the listener `ops`";
    assert_eq!(why, expected);
}

/// A job that removes old files has run.
fn removed_files(workers: usize) {
    for sharing in ["inherited", "hand-off"] {
        let start = Start::workers(workers).unix().env("CLUSTER_SHARING", sharing);
        let mut service = start.env("HEALTH_CHECK_INTERVAL", "50ms").ready();
        let old = service.connect();
        for name in ["app.sock", "admin.sock"] {
            fs::remove_file(service.program().folder().join(name)).expect("it exists");
        }
        until("clients find it again", || {
            Client::connect(&service.address).ok()?.get("/").ok().map(drop)
        });
        served_by_all(&service, workers);
        drop(old);
        until("the admin API is reachable again", || {
            let socket = service.program().folder().join("admin.sock");
            Client::connect(&format!("unix:{}", socket.display())).ok().map(drop)
        });
        service.signal(Signal::SIGHUP);
        service.event("ReloadFinished");
        served_by_all(&service, workers);
        service.stop();
    }
    // Without a check in between, the reload itself creates it again.
    let mut service = Start::workers(workers).unix().env("HEALTH_CHECK_INTERVAL", "1h").ready();
    fs::remove_file(service.program().folder().join("app.sock")).expect("it exists");
    service.signal(Signal::SIGHUP);
    service.event("ReloadFinished");
    assert_eq!(service.get("/").number("generation"), 2);
    service.stop();
}

/// Every worker accepts: while one is kept busy, the others answer.
fn served_by_all(service: &Service, workers: usize) {
    let mut clients: Vec<Client> = (0..8 * workers).map(|_| service.connect()).collect();
    for client in &mut clients {
        client.send("/block?ms=20").expect("it is sent");
    }
    for client in &mut clients {
        assert_eq!(client.receive().expect("it is answered").status, 200);
    }
}
