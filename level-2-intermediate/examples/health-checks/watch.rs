//! The primary's part: it reports the decisions of the library, and looks at the workers itself.
//!
//! In the right version the second look only reports. In two wrong versions it acts, as homemade
//! supervisors do.

use std::thread;
use std::time::{Duration, Instant};

use cluster::primary::{Events, Handle, WorkerStats};
use lab::say;
use level_2::story;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::monitor::{Monitor, News};
use crate::{LIMIT, Wrong};

/// The number of second looks in each period.
const LOOKS: u32 = 5;

pub fn primary(events: Events, cluster: Handle, period: Option<Duration>, wrong: Option<Wrong>) {
    if let Some(period) = period {
        thread::spawn(move || look_again(&cluster, period, wrong));
    }
    story::tell_all(events); // Unhealthy, Draining and Exited, with reason and up-time
}

/// Polls until the cluster is gone. The library itself does not poll: a report wakes it.
fn look_again(cluster: &Handle, period: Duration, wrong: Option<Wrong>) {
    let mut monitor = Monitor::new(period, Instant::now());
    while let Ok(stats) = cluster.stats() {
        let ready: Vec<_> = stats.workers.iter().filter(|worker| worker.state == "ready").collect();
        let signs = ready.iter().map(|worker| (worker.pid, sign_of_life(worker, wrong))).collect();
        for News { pid, missed } in monitor.look(Instant::now(), &signs) {
            match missed {
                0 => say!("primary: worker {pid} reports again"),
                missed => say!("primary: worker {pid} has missed {missed} report(s)"),
            }
            if wrong == Some(Wrong::JudgeByRequests) && missed >= 2 {
                end(pid, "has answered nothing");
            }
        }
        if wrong == Some(Wrong::KillAtTheLimit) {
            let large = |worker: &&&WorkerStats| worker.memory_mb << 20 > LIMIT;
            ready.iter().filter(large).for_each(|worker| end(worker.pid, "is over the limit"));
        }
        thread::sleep(period / LOOKS);
    }
}

/// A value that changes with each report: the time of the last one.
fn sign_of_life(worker: &WorkerStats, wrong: Option<Wrong>) -> String {
    if wrong == Some(Wrong::JudgeByRequests) {
        return worker.requests_handled.to_string(); // which an idle worker never changes
    }
    worker.last_health_check.clone().unwrap_or_default()
}

fn end(pid: u32, why: &str) {
    say!("primary: worker {pid} {why}: SIGKILL");
    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL); // it may have ended just now
}
