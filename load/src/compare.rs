//! Two servers in turn: A B, B A, A B …, one run for each, and the ratio of a figure.

use std::fmt::{self, Display, Formatter};

use clap::ValueEnum;
use lab::Result;
use nix::sys::resource::UsageWho;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::comparison::{Comparison, Verdict};
use crate::report::to_float;
use crate::run::cpu_time;
use crate::server::Server;
use crate::text::time;
use crate::{Plan, Report, measure};

/// The figure that a comparison compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Good answers per second; the default in a closed loop
    RequestsPerSecond,
    /// Mean latency
    Mean,
    /// Median latency; the default in an open loop
    P50,
    /// Latency that 1 % of the answers exceed
    P99,
    /// CPU time of the server per good answer, its start and end included; on a busy machine it
    /// scatters least
    ServerCpu,
}

/// One run on a server of its own.
#[derive(Clone, Debug, Serialize)]
pub struct Turn {
    /// The run.
    #[serde(flatten)]
    pub report: Report,
    /// The CPU time of the server and its descendants, in seconds.
    pub server_cpu_seconds: f64,
}

/// The runs of a comparison, and their statistics.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The command that starts server A.
    pub a: String,
    /// The command that starts server B.
    pub b: String,
    /// The figure that is compared.
    pub figure: Figure,
    /// The ratio B/A; none if the comparison was interrupted before its second pair.
    pub comparison: Option<Comparison>,
    /// The verdict; none if the comparison was interrupted.
    pub verdict: Option<Verdict>,
    /// The complete pairs, A first.
    pub pairs: Vec<(Turn, Turn)>,
    /// The comparison was stopped before its end.
    pub interrupted: bool,
}

/// Starts the servers of the commands `a` and `b` in turn, and puts each under the load of `plan`.
/// Every other pair begins with `b`.
///
/// A server is ready when the target of `plan` accepts connections. It is ended by SIGTERM to its
/// process group, and by SIGKILL after 5 s. Its output is discarded. This process reaps all of its
/// children, so a program with other children should not call this.
///
/// # Errors
/// A server does not start, or a run fails or has no good answers. No process is left then, either.
pub async fn compare(
    [a, b]: [&str; 2],
    plan: &Plan,
    figure: Figure,
    pairs: usize,
    stop: &CancellationToken,
    mut progress: impl FnMut(&str),
) -> Result<Compared> {
    let mut done = Vec::new();
    while done.len() < pairs && !stop.is_cancelled() {
        let number = done.len() + 1;
        let mut turns = [("A", a, None), ("B", b, None)];
        if number % 2 == 0 {
            turns.reverse(); // a steady drift of the machine then cancels out
        }
        for (name, command, report) in &mut turns {
            *report = turn(&format!("pair {number}, {name}"), command, plan, stop).await?;
        }
        turns.sort_by_key(|(name, ..)| *name);
        let [(.., Some(of_a)), (.., Some(of_b))] = turns else { break };
        progress(&row(number, figure, &of_a, &of_b));
        done.push((of_a, of_b));
    }
    Compared::new([a, b], figure, done, stop.is_cancelled())
}

/// One run on a server of its own; nothing if it was interrupted.
async fn turn(
    name: &str,
    command: &str,
    plan: &Plan,
    stop: &CancellationToken,
) -> Result<Option<Turn>> {
    let explain = |error| format!("{name}: {error}");
    let before = cpu_time(UsageWho::RUSAGE_CHILDREN)?;
    let server = tokio::select! {
        started = Server::start(command, &plan.target) => started.map_err(explain)?,
        () = stop.cancelled() => return Ok(None),
    };
    let measured = measure(plan.clone(), stop).await;
    server.end().await;
    if stop.is_cancelled() {
        return Ok(None);
    }
    let report = measured.map_err(explain)?;
    let server_cpu = cpu_time(UsageWho::RUSAGE_CHILDREN)?.saturating_sub(before);
    match &report.latency {
        Some(_) => Ok(Some(Turn { report, server_cpu_seconds: server_cpu.as_secs_f64() })),
        None => Err(format!("{name}: {}", report.complaint().unwrap_or_default()).into()),
    }
}

impl Compared {
    fn new(
        [a, b]: [&str; 2],
        figure: Figure,
        pairs: Vec<(Turn, Turn)>,
        interrupted: bool,
    ) -> Result<Self> {
        let figures: Vec<_> = pairs.iter().map(|(a, b)| (figure.of(a), figure.of(b))).collect();
        let comparison = match Comparison::of(&figures) {
            Err(_) if interrupted => None,
            comparison => Some(comparison?),
        };
        let verdict = comparison.filter(|_| !interrupted).map(|it| it.verdict());
        let (a, b) = (a.to_owned(), b.to_owned());
        Ok(Self { a, b, figure, comparison, verdict, pairs, interrupted })
    }

    /// The reason why the comparison is worth less than requested, in one line.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if self.interrupted {
            return Some(format!("interrupted after {} complete pairs", self.pairs.len()));
        }
        let reports = self.pairs.iter().flat_map(|(a, b)| [("A", a), ("B", b)]);
        let mut complaints = reports.filter_map(|(name, it)| Some((name, it.report.complaint()?)));
        let (name, first) = complaints.next()?;
        let others = complaints.count();
        Some(format!(
            "{} of {} runs failed; the first, of {name}: {first}",
            others + 1,
            2 * self.pairs.len()
        ))
    }
}

impl Figure {
    fn of(self, turn: &Turn) -> f64 {
        let report = &turn.report;
        let latency = report.latency.as_ref();
        match self {
            Self::RequestsPerSecond => report.requests_per_second,
            Self::Mean => latency.map_or(0.0, |it| it.mean),
            Self::P50 => latency.map_or(0.0, |it| it.percentiles["p50"]),
            Self::P99 => latency.map_or(0.0, |it| it.percentiles["p99"]),
            Self::ServerCpu => turn.server_cpu_seconds / to_float(report.answered),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RequestsPerSecond => "requests/s",
            Self::Mean => "mean latency",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::ServerCpu => "server's CPU time per answer",
        }
    }

    fn show(self, turn: &Turn) -> String {
        let value = self.of(turn);
        if self == Self::RequestsPerSecond { format!("{value:.0}") } else { time(value) }
    }
}

/// The table's row of one pair.
fn row(number: usize, figure: Figure, a: &Turn, b: &Turn) -> String {
    let ratio = figure.of(b) / figure.of(a);
    let (a, b) = (figure.show(a), figure.show(b));
    format!("{number:>4} {a:>12} {b:>12} {ratio:>8.3}")
}

impl Display for Compared {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "A: {}\nB: {}\n", self.a, self.b)?;
        writeln!(f, "{:>4} {:>12} {:>12} {:>8}", "pair", "A", "B", "B/A")?;
        for (index, (a, b)) in self.pairs.iter().enumerate() {
            writeln!(f, "{}", row(index + 1, self.figure, a, b))?;
        }
        match &self.comparison {
            Some(comparison) => writeln!(f, "\n{}: {comparison}", self.figure.name()),
            None => writeln!(f, "\n{}: too few pairs to compare", self.figure.name()),
        }
    }
}
