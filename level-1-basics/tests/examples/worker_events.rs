//! The lesson of `worker-events`, from outside.

use lab::Service;
use nix::sys::signal::Signal;

use crate::start;

/// The events that were logged about `pid`, in order.
fn story(service: &Service, pid: i32) -> Vec<String> {
    let of_pid = |line: &String| line.split([' ', ':']).any(|word| word == pid.to_string());
    let events =
        service.narration().into_iter().filter(|line| line.contains("event ")).filter(of_pid);
    events
        .filter_map(|line| line.split("event ").nth(1)?.split(' ').next().map(str::to_owned))
        .collect()
}

#[test]
fn a_graceful_stop_logs_the_whole_life_of_each_worker() {
    let mut service = start("worker-events", &["--workers", "3"]);
    let workers = service.workers().expect("/proc is there");
    let status = service.end(Signal::SIGTERM).expect("it ends");
    assert!(status.success(), "{status}");
    service.prints("goodbye").expect("the last line");
    for pid in workers {
        assert_eq!(story(&service, pid), ["fork", "online", "listening", "disconnect", "exit"]);
        service.prints(&format!("pid {pid}: exited with code 0")).expect("with its code");
    }
}

#[test]
fn a_code_and_a_signal_are_logged_differently() {
    lab::no_cores().expect("a soft limit can be lowered");
    let mut service = start("worker-events", &["--workers", "4"]);
    let victim = service.workers().expect("/proc is there")[0];
    service.signal(victim, Signal::SIGABRT).expect("it runs");
    service.prints(&format!("pid {victim}: was killed by SIGABRT")).expect("the signal");
    for code in ["0", "42"] {
        service.get(&format!("/exit?code={code}")).expect_err("its answer died with it");
        service.prints(&format!(": exited with code {code}")).expect("the code");
    }
}

#[test]
fn the_memory_line_comes_again_and_again() {
    let service = start("worker-events", &["--workers", "2", "--every", "1"]);
    service.prints_times("2 workers online, ", 2).expect("periodically");
    let line = service.prints("KiB in all").expect("with the memory");
    let kib = line.split(' ').rev().nth(3).and_then(|kib| kib.parse::<u64>().ok());
    assert!(kib.is_some_and(|kib| kib > 100), "two processes take more than 100 KiB: {line}");
}
