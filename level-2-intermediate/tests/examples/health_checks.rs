//! The lesson of `health-checks`, from outside; and its rule, with invented times.

#[path = "../../examples/health-checks/monitor.rs"]
mod monitor;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::{proc, wait_for};
use nix::sys::signal::Signal;

use crate::{SUITE, start};
use monitor::{Monitor, News, missed};

const PERIOD: Duration = Duration::from_secs(10);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Signs of life: the last one of each pid.
fn signs<const N: usize>(signs: [(u32, &str); N]) -> BTreeMap<u32, String> {
    signs.into_iter().map(|(pid, sign)| (pid, sign.to_owned())).collect()
}

#[test]
fn a_report_is_missed_half_a_period_after_it_was_due() {
    let cases = [(0, 0), (10, 0), (14, 0), (15, 1), (24, 1), (25, 2), (1000, 99)];
    for (silence, expected) in cases {
        assert_eq!(missed(seconds(silence), PERIOD), expected, "after {silence} s");
    }
}

#[test]
fn silence_is_reported_once_and_so_is_its_end() {
    let begin = Instant::now();
    let mut monitor = Monitor::new(PERIOD, begin);
    let mut reported = Vec::new();
    for second in (0..=60).step_by(5) {
        // Worker 1 reports all the time; worker 2 is silent from second 10 to second 50.
        let other = if second < 50 { second.min(10) } else { second };
        let now = signs([(1, &second.to_string()), (2, &other.to_string())]);
        for news in monitor.look(begin + seconds(second), &now) {
            reported.push((second, news.pid, news.missed));
        }
    }
    assert_eq!(reported, [(25, 2, 1), (35, 2, 2), (45, 2, 3), (50, 2, 0)]);
}

#[test]
fn monitor_that_slept_blames_no_worker() {
    let begin = Instant::now();
    let mut monitor = Monitor::new(PERIOD, begin);
    let same = signs([(1, "a")]);
    assert_eq!(monitor.look(begin + seconds(5), &same), []);
    assert_eq!(monitor.look(begin + seconds(3600), &same), []);
    assert_eq!(monitor.look(begin + seconds(3610), &same), []);
    assert_eq!(monitor.look(begin + seconds(3615), &same), [News { pid: 1, missed: 1 }]);
}

#[test]
fn worker_that_is_gone_is_forgotten() {
    let begin = Instant::now();
    let mut monitor = Monitor::new(PERIOD, begin);
    monitor.look(begin, &signs([(1, "a")]));
    monitor.look(begin + seconds(9), &signs([]));
    assert_eq!(monitor.look(begin + seconds(18), &signs([(1, "a")])), [], "another of that pid");
}

#[test]
fn looping_worker_is_aborted_and_its_successor_answers() {
    lab::no_cores().expect("a soft limit can be lowered");
    let mut service = start("health-checks", &["--workers", "1"]);
    let victim = service.workers().expect("/proc is there")[0];
    drop(service.get_later("/loop"));
    service.prints(&format!("{victim} worker: begins an infinite loop")).expect("it is worked on");
    service
        .prints(&format!("worker {victim} has missed 1 report(s)"))
        .expect("the second look sees it");
    service.prints(&format!("worker {victim} is unhealthy: sent no heartbeat")).expect("found");
    service.prints(&format!("worker {victim} was killed by SIGABRT")).expect("aborted");
    let next = service.get("/").and_then(|answer| answer.worker()).expect("its successor answers");
    assert_ne!(next, victim);
    assert!(service.end(Signal::SIGTERM).expect("it ends").success());
}

#[test]
fn worker_inherits_the_core_dump_limit_of_the_shell() {
    let mut service = SUITE.launch_with("ulimit -S -c 0", "health-checks", &["--workers", "1"]);
    let worker = service.workers().expect("/proc is there")[0];
    let limits = std::fs::read_to_string(format!("/proc/{worker}/limits")).expect("it runs");
    let cores = limits.lines().find(|line| line.starts_with("Max core file size"));
    let soft = cores.and_then(|line| line.split_whitespace().nth(4)).expect("a line of limits");
    assert_eq!(soft, "0");
}

#[test]
fn only_the_worker_over_the_limit_is_replaced() {
    let mut service = start("health-checks", &["--workers", "2"]);
    let before = service.workers().expect("/proc is there");
    let growing: Vec<_> = (0..4).map(|_| service.get_later("/grow?mib=10&ms=1000")).collect();
    for request in growing {
        let answer = request.join().expect("a client does not panic").expect("answered");
        assert_eq!(answer.status, 200);
    }
    assert_eq!(service.workers().expect("/proc is there"), before, "each is below the limit");
    let answer = service.get("/grow?mib=64&ms=500").expect("it is answered");
    let victim = answer.worker().expect("it names its worker");
    service
        .prints(&format!("worker {victim} leaves: it is over its memory limit"))
        .expect("gracefully");
    service.prints(&format!("worker {victim} exited with code 0")).expect("by itself");
    let mut after = service.workers().expect("/proc is there");
    after.retain(|pid| before.contains(pid));
    assert_eq!(after.len(), 1, "the other one stays: {before:?}, {after:?}");
}

#[test]
fn environment_sets_the_limit_and_turns_on_the_stats_line() {
    let variables = [("WORKER_MEMORY_LIMIT", "off"), ("LOG_CLUSTER_STATS", "100ms")];
    let mut service = SUITE.start_with(&variables, "health-checks", &["--workers", "1"]);
    let worker = service.get("/grow?mib=80").and_then(|it| it.worker()).expect("answered");
    service
        .prints_times("cluster stats workers=1 healthy=1", 6)
        .expect("the line comes on its own");
    assert_eq!(service.workers().expect("/proc is there"), [worker]);
    assert!(proc::rss(worker).expect("it runs") > 80 << 20, "it has taken the memory");
}

#[test]
fn without_reports_no_worker_is_judged() {
    let variables = [("HEALTH_REPORT_INTERVAL", "off"), ("LOG_CLUSTER_STATS", "500ms")];
    let mut service = SUITE.start_with(&variables, "health-checks", &["--workers", "1"]);
    let victim = service.workers().expect("/proc is there")[0];
    drop(service.get_later("/loop"));
    service.prints("begins an infinite loop").expect("it is worked on");
    service.prints_times("cluster stats", 6).expect("twice as long as it would take");
    assert_eq!(service.workers().expect("/proc is there"), [victim]);
    // The worker cannot leave on its own: the same signal again stops it at once, unless it is an echo.
    service.signal(service.primary(), Signal::SIGTERM).expect("it runs");
    service.prints("stopping").expect("it has begun to stop");
    sleep(Duration::from_millis(600)); // the gap is the input
    service.end(Signal::SIGTERM).expect("it ends");
}

#[test]
fn suspended_cluster_survives() {
    lab::no_cores().expect("a soft limit can be lowered");
    let mut sleeper = start("health-checks", &["--workers", "2"]);
    let workers = sleeper.workers().expect("/proc is there");
    let all: Vec<i32> = workers.iter().copied().chain([sleeper.primary()]).collect();
    for pid in &all {
        sleeper.signal(*pid, Signal::SIGSTOP).expect("it runs");
        wait_for("it to stop", || (proc::state(*pid) == Some('T')).then_some(())).expect("stopped");
    }
    // Wait as long as another cluster takes to find a hung worker.
    let awake = start("health-checks", &["--workers", "1"]);
    drop(awake.get_later("/loop"));
    awake.prints("is unhealthy").expect("found");
    for pid in all.iter().rev() {
        sleeper.signal(*pid, Signal::SIGCONT).expect("it exists");
    }
    // Wait as long again: all workers are still the same.
    let found = awake.get("/").expect("the successor answers").worker().expect("its pid");
    drop(awake.get_later("/loop"));
    awake.prints(&format!("worker {found} is unhealthy")).expect("found");
    assert_eq!(sleeper.workers().expect("/proc is there"), workers);
    sleeper.all_answer(&workers).expect("they answer");
}
