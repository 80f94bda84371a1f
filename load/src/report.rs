//! The report of a run, as data. Times are in seconds, and shares are parts of 1.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use serde::Serialize;

use crate::client::Run;
use crate::figures::{self, Figures};
use crate::schedule::Pace;

/// The percentiles of a report.
pub const PERCENTILES: [(&str, f64); 4] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// The answers that have to lie above a percentile, so that it is more than the luck of a few.
const ENOUGH_ABOVE: f64 = 10.0;

/// A run may drop this share of its plan, at its end, and still count as one that kept its rate.
const DROPPED_AT_MOST: f64 = 0.01;

/// The report of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The URL under load.
    pub url: String,
    /// Closed or open loop.
    #[serde(flatten)]
    pub paced: Paced,
    /// Clients, each with one connection.
    pub connections: usize,
    /// Each request had a new connection.
    pub fresh: bool,
    /// Time in which requests were sent.
    pub seconds: f64,
    /// Requests that were sent: `answered + lost + unfinished`.
    pub sent: u64,
    /// Requests with an answer of a status below 400.
    pub answered: u64,
    /// Requests without a good answer.
    pub lost: u64,
    /// Requests whose answer an interrupted run did not wait for.
    pub unfinished: u64,
    /// Good answers per second, of those that came within `seconds`.
    pub requests_per_second: f64,
    /// Latencies of good answers; none if there were none.
    pub latency: Option<Latency>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests by the interval in which they ended.
    pub intervals: Vec<Interval>,
    /// Lost requests by cause.
    pub losses: Vec<Losses>,
    /// The generator's own CPU time.
    pub cpu: Cpu,
    /// The run was stopped before its end.
    pub interrupted: bool,
}

/// The pace of a run and, in an open loop, what became of its plan.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "loop", rename_all = "lowercase")]
pub enum Paced {
    /// Latencies count from the time at which a request was sent.
    Closed,
    /// Latencies count from the time at which a request was due.
    Open {
        /// Requests per second.
        rate: f64,
        /// Requests that were due: `sent + dropped`.
        planned: u64,
        /// Requests that were due and could not be sent before the end.
        dropped: u64,
    },
}

/// The distribution of latencies, in seconds; those of an open loop count from the intended start.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// The percentiles by name, such as `p99.9`.
    pub percentiles: BTreeMap<&'static str, f64>,
    /// The longest.
    pub max: f64,
    /// Percentiles above which there are fewer than 10 answers.
    pub thin: Vec<&'static str>,
}

/// The requests that ended in one interval.
#[derive(Clone, Debug, Serialize)]
pub struct Interval {
    /// Begin, in seconds after the begin of the run.
    pub from: f64,
    /// End, in seconds after the begin of the run; the last interval may be shorter.
    pub to: f64,
    /// Good answers.
    pub answered: u64,
    /// Good answers per second.
    pub requests_per_second: f64,
    /// Lost requests.
    pub lost: u64,
}

/// The requests that were lost by one cause.
#[derive(Clone, Debug, Serialize)]
pub struct Losses {
    /// The cause.
    pub cause: String,
    /// The number of requests.
    pub count: u64,
    /// The first, in seconds after the begin of the run.
    pub first: f64,
    /// The last, in seconds after the begin of the run.
    pub last: f64,
}

/// The CPU time of the generator itself.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cpu {
    /// CPU time in user and kernel mode, in seconds.
    pub seconds: f64,
    /// The part of one core that it used.
    pub share_of_core: f64,
    /// The part of the machine that it used: of all cores that this process may run on.
    pub share_of_machine: f64,
}

impl Report {
    pub(crate) fn new(run: &Run, elapsed: Duration, cpu: Duration, interrupted: bool) -> Self {
        let (plan, figures) = (&run.plan, run.figures.borrow());
        let sending = elapsed.min(plan.duration);
        let in_time = figures.intervals.iter().rev().skip(1).map(|it| it.answered).sum();
        Self {
            url: plan.target.to_string(),
            paced: paced(run),
            connections: plan.connections.get(),
            fresh: plan.fresh,
            seconds: sending.as_secs_f64(),
            sent: figures.sent,
            answered: figures.answered,
            lost: figures.lost(),
            unfinished: figures.sent - figures.answered - figures.lost(),
            requests_per_second: per_second(in_time, sending.as_secs_f64()),
            latency: latency(&figures),
            statuses: figures.statuses.clone(),
            intervals: intervals(&figures, plan.interval, sending, elapsed),
            losses: losses(&figures),
            cpu: Cpu::new(cpu, elapsed),
            interrupted,
        }
    }

    /// The reason why this run did not measure what was requested, in one line.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if self.interrupted {
            return Some(format!("interrupted after {:.1} s", self.seconds));
        }
        if let Paced::Open { rate, planned, dropped } = self.paced
            && to_float(dropped) > DROPPED_AT_MOST * to_float(planned)
        {
            return Some(format!(
                "the rate of {rate}/s could not be kept: {dropped} of {planned} requests were \
                 dropped. Lower --rate, or raise --connections if the server was not busy"
            ));
        }
        let most = self.losses.iter().max_by_key(|losses| losses.count)?;
        Some(format!("{} of {} requests were lost, most by: {}", self.lost, self.sent, most.cause))
    }
}

impl Cpu {
    fn new(used: Duration, elapsed: Duration) -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let share_of_core = used.as_secs_f64() / elapsed.as_secs_f64();
        let share_of_machine = share_of_core / to_float(cores as u64);
        Self { seconds: used.as_secs_f64(), share_of_core, share_of_machine }
    }
}

fn paced(run: &Run) -> Paced {
    match (run.plan.pace, run.schedule.planned_and_dropped()) {
        (Pace::Open { rate }, Some((planned, dropped))) => Paced::Open { rate, planned, dropped },
        _ => Paced::Closed,
    }
}

fn latency(figures: &Figures) -> Option<Latency> {
    let answered = to_float(figures.answered);
    let value = |part| seconds(figures.latencies.value_at_quantile(part));
    (figures.answered > 0).then(|| Latency {
        mean: figures.total_latency.as_secs_f64() / answered,
        percentiles: PERCENTILES.map(|(name, part)| (name, value(part))).into(),
        max: seconds(figures.latencies.max()),
        thin: thin(answered),
    })
}

/// The percentiles above which there are too few of `answered` requests.
fn thin(answered: f64) -> Vec<&'static str> {
    let above = |part: f64| answered * (1.0 - part);
    let thin = PERCENTILES.iter().filter(|(_, part)| above(*part) < ENOUGH_ABOVE - 1e-6);
    thin.map(|(name, _)| *name).collect()
}

fn intervals(
    figures: &Figures,
    length: Duration,
    sending: Duration,
    elapsed: Duration,
) -> Vec<Interval> {
    let (after, within) = figures.intervals.split_last().expect("one for those after the end");
    let mut from = Duration::ZERO;
    let mut intervals = Vec::new();
    for counts in within {
        let to = (from + length).min(sending);
        if from < to {
            intervals.push(Interval::new(*counts, from, to));
        }
        from = to;
    }
    if after.answered + after.lost > 0 {
        intervals.push(Interval::new(*after, sending, elapsed));
    }
    intervals
}

impl Interval {
    fn new(counts: figures::Interval, from: Duration, to: Duration) -> Self {
        let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
        let requests_per_second = per_second(counts.answered, to - from);
        let figures::Interval { answered, lost } = counts;
        Self { from, to, answered, requests_per_second, lost }
    }
}

fn losses(figures: &Figures) -> Vec<Losses> {
    let losses = figures.losses.iter().map(|(cause, lost)| Losses {
        cause: cause.clone(),
        count: lost.count,
        first: lost.first.as_secs_f64(),
        last: lost.last.as_secs_f64(),
    });
    losses.collect()
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { to_float(count) / seconds } else { 0.0 }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^52 requests")]
pub(crate) fn to_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_needs_ten_answers_above_it() {
        assert_eq!(thin(10_000.0), Vec::<&str>::new());
        assert_eq!(thin(9_999.0), ["p99.9"]);
        assert_eq!(thin(999.0), ["p99", "p99.9"]);
        assert_eq!(thin(19.0), ["p50", "p90", "p99", "p99.9"]);
    }
}
