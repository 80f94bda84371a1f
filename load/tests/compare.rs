//! Comparisons of real servers, and what is left of them: nothing.

mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use common::{Ended, Running, load, wait};
use nix::sys::signal::Signal;

/// A comparison whose servers carry a mark in their command lines.
struct Comparison {
    address: SocketAddr,
    mark: String,
}

impl Comparison {
    fn new() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // `--work` is given twice, and the first value names this comparison: the last one counts.
        Self { address, mark: format!("--work={}{}", std::process::id(), address.port()) }
    }

    fn burner(&self, options: &str) -> String {
        format!("'{}' {} {} {options}", env!("CARGO_BIN_EXE_burner"), self.address, self.mark)
    }

    fn command(&self, a: &str, b: &str, options: &str) -> Command {
        let mut command = load(&format!("http://{}/", self.address), options);
        command.args(["--compare", a, b]);
        command
    }

    fn run(&self, a: &str, b: &str, options: &str) -> Ended {
        Running::start(self.command(a, b, options)).ended()
    }

    /// The processes that the servers have left.
    fn remains(&self) -> Vec<i32> {
        let all = procfs::process::all_processes().unwrap().flatten();
        let marked = all.filter(|it| it.cmdline().is_ok_and(|words| words.contains(&self.mark)));
        marked.map(|it| it.pid()).collect()
    }
}

#[test]
fn slower_server_is_found_and_nothing_is_left() {
    let it = Comparison::new();
    let (a, b) = (it.burner("--work 0"), it.burner("--work 300000"));
    let ended = it.run(&a, &b, "-c 2 -d 300ms");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.json["verdict"], "lower", "{ended:?}");
    assert_eq!(ended.json["pairs"].as_array().unwrap().len(), 10);
    assert!(ended.json["comparison"]["ratio"].as_f64().unwrap() < 0.8);
    assert!(ended.stdout.contains("requests/s: B/A = "), "{ended:?}");
    assert_eq!(it.remains(), [] as [i32; 0]);
}

#[test]
fn every_other_pair_begins_with_b() {
    let it = Comparison::new();
    let order = tempfile::NamedTempFile::new().unwrap();
    let command = |name: &str| {
        format!("printf {name} >>'{}'; exec {}", order.path().display(), it.burner("--work 0"))
    };
    let ended = it.run(&command("A"), &command("B"), "-c 1 -d 50ms");
    assert_eq!(ended.json["pairs"].as_array().map(Vec::len), Some(10), "{ended:?}");
    let order = std::fs::read_to_string(order.path()).unwrap();
    assert_eq!(order, "ABBA".repeat(5));
}

#[test]
fn latency_is_compared_in_an_open_loop() {
    let it = Comparison::new();
    let (a, b) = (it.burner("--work 0"), it.burner("--work 300000"));
    let ended = it.run(&a, &b, "-c 2 -d 300ms --rate 20");
    assert_eq!(ended.json["figure"], "p50", "{ended:?}");
    assert_eq!(ended.json["verdict"], "higher", "{ended:?}");
    assert_eq!(it.remains(), [] as [i32; 0]);
}

#[test]
fn interrupted_comparison_leaves_no_process() {
    let it = Comparison::new();
    let server = it.burner("--work 0");
    let running = Running::start(it.command(&server, &server, "-c 2 -d 1h"));
    wait("the server", || TcpStream::connect(it.address).is_ok()).unwrap();
    running.signal(Signal::SIGINT);
    let ended = running.ended();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(ended.complaint(), "interrupted after 0 complete pairs");
    assert_eq!(it.remains(), [] as [i32; 0]);
}

#[test]
fn server_that_has_left_its_group_is_ended_too() {
    let it = Comparison::new();
    let server = format!("setsid {} & exit 0", it.burner("--work 0"));
    let ended = it.run(&server, &server, "-c 2 -d 200ms");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(it.remains(), [] as [i32; 0]);
}

#[test]
fn server_that_ignores_the_signal_is_killed() {
    let it = Comparison::new();
    let server = format!("trap '' TERM; {}", it.burner("--work 0"));
    let running = Running::start(it.command(&server, &server, "-c 2 -d 1h"));
    wait("the server", || TcpStream::connect(it.address).is_ok()).unwrap();
    running.signal(Signal::SIGTERM);
    assert_eq!(running.ended().code, Some(130));
    assert_eq!(it.remains(), [] as [i32; 0]);
}

#[test]
fn server_that_does_not_start_is_named_with_its_reason() {
    let it = Comparison::new();
    let good = it.burner("--work 0");
    let ended = it.run(&good, "echo the reason >&2; exit 3", "-c 2 -d 200ms");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.complaint(), "pair 1, B: it ended with exit status: 3: the reason");
    assert_eq!(it.remains(), [] as [i32; 0]);
}

#[test]
fn port_of_another_server_is_refused() {
    let it = Comparison::new();
    let _other = TcpListener::bind(it.address).unwrap();
    let ended = it.run(&it.burner(""), &it.burner(""), "-c 2 -d 200ms");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.complaint().contains("running at"), "{ended:?}");
}
