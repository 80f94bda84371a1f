//! A server that stalls: the open loop shows it, the closed loop hides it.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Ended, Running, load, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A burner without work, killed at the end of its test.
struct Burner {
    child: Child,
    url: String,
}

impl Burner {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burner"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, url: format!("http://{}/", address.trim()) }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Returns whether a client is connected: each connection has a thread.
    fn is_used(&self) -> bool {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().count() > 1
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A run of 5 s in which the server is stopped for 1.4 s.
fn stalled(options: &str) -> Ended {
    let burner = Burner::start();
    let running = Running::start(load(&burner.url, options));
    wait("a client", || burner.is_used()).unwrap();
    burner.signal(Signal::SIGSTOP);
    sleep(Duration::from_millis(1400)); // the stall itself
    burner.signal(Signal::SIGCONT);
    running.ended()
}

fn seconds(ended: &Ended, percentile: &str) -> f64 {
    ended.json["latency"]["percentiles"][percentile].as_f64().unwrap()
}

#[test]
fn open_loop_shows_a_stall_that_a_closed_one_hides() {
    let open = stalled("-c 8 -d 5s --rate 2000");
    assert_eq!(open.count("planned"), 10_000);
    assert_eq!(open.count("planned"), open.count("sent") + open.count("dropped"));
    assert!(seconds(&open, "p99") >= 1.0, "{open:?}");

    let closed = stalled("-c 8 -d 5s");
    assert!(closed.json["latency"]["max"].as_f64().unwrap() >= 1.0, "{closed:?}");
    assert!(seconds(&closed, "p99") * 20.0 < seconds(&open, "p99"), "{closed:?}");
}
