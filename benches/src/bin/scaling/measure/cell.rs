//! One run: a rival with a number of workers, under load or bare.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::time::Duration;

use benches::rivals::{Bare, Rival, Server, Work};
use cluster::{Error, Result};
use load::{Pace, Plan, Report, Target};

/// A contestant: a rival, or bare processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    Bare,
    Server(Rival),
}

impl Contestant {
    /// The name of the contestant in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare processes",
            Self::Server(Rival::Cluster) => "cluster",
            Self::Server(Rival::Threads) => "threads",
        }
    }
}

/// The result of one run.
#[derive(Clone, Copy)]
pub struct Run {
    /// Requests, or works of bare processes, per second.
    pub per_second: f64,
    /// The generator's CPU time, as a part of one core; 0 if there was no generator.
    pub generator: f64,
}

/// Runs `contestant` with this many workers for `time`.
pub fn run(
    contestant: Contestant,
    work: Work,
    workers: usize,
    clients: usize,
    time: Duration,
) -> Result<Run> {
    match contestant {
        Contestant::Bare => {
            let per_second = Bare::works_per_second(work, workers, time)?;
            Ok(Run { per_second, generator: 0.0 })
        }
        Contestant::Server(rival) => {
            let server = Server::start(rival, work, workers)?;
            let report = load(&format!("http://{}/", server.address()), clients, time)?;
            Ok(Run { per_second: per_second(&report), generator: report.cpu.share_of_core })
        }
    }
}

/// Answers per second up to the last one. A run that counted only the answers within its time would
/// count whole ones: 58 or 59 of 50 ms in 3 s.
fn per_second(report: &Report) -> f64 {
    let end = report.intervals.last().map_or(report.seconds, |interval| interval.to);
    #[allow(clippy::cast_precision_loss, reason = "answers are below 2^53")]
    let answered = report.answered as f64;
    answered / end
}

/// Puts a server under load in a closed loop.
fn load(url: &str, clients: usize, duration: Duration) -> Result<Report> {
    let failed = |error: &dyn Display| Error::because("the load failed", error.to_string());
    let target: Target = url.parse().map_err(|error: String| failed(&error))?;
    let clients = NonZeroUsize::new(clients).ok_or_else(|| Error::new("no clients"))?;
    let plan = Plan::get(target, clients, Pace::Closed, duration);
    let report = plan.run().map_err(|error| failed(&error))?;
    match report.complaint() {
        Some(complaint) => Err(failed(&complaint)),
        None => Ok(report),
    }
}
