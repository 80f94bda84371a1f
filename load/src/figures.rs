//! The figures that a run collects while it goes on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Plan;
use crate::loss::Loss;

/// The longest latency that is kept exactly; a longer one counts as this.
const LONGEST: Duration = Duration::from_secs(3600);

/// Counts and latencies of one run.
pub(crate) struct Figures {
    begin: Instant,
    duration: Duration,
    interval: Duration,
    pub sent: u64,
    pub answered: u64,
    /// In nanoseconds, with three significant digits.
    pub latencies: Histogram<u64>,
    /// The exact sum, for the mean.
    pub total_latency: Duration,
    pub statuses: BTreeMap<u16, u64>,
    pub losses: BTreeMap<String, Lost>,
    /// One entry for each interval of the run, by the time of the answer or loss; and a last one
    /// for those that came after the end.
    pub intervals: Vec<Interval>,
}

/// The requests that were lost by one cause; times count from the begin of the run.
pub(crate) struct Lost {
    pub count: u64,
    pub first: Duration,
    pub last: Duration,
}

/// The requests that ended in one interval.
#[derive(Clone, Copy, Default)]
pub(crate) struct Interval {
    pub answered: u64,
    pub lost: u64,
}

impl Figures {
    pub(crate) fn new(begin: Instant, plan: &Plan) -> Self {
        let longest = u64::try_from(LONGEST.as_nanos()).expect("an hour in nanoseconds fits");
        Self {
            begin,
            duration: plan.duration,
            interval: plan.interval,
            sent: 0,
            answered: 0,
            latencies: Histogram::new_with_bounds(1, longest, 3).expect("the bounds are valid"),
            total_latency: Duration::ZERO,
            statuses: BTreeMap::new(),
            losses: BTreeMap::new(),
            intervals: vec![Interval::default(); intervals(plan) + 1],
        }
    }

    pub(crate) fn lost(&self) -> u64 {
        self.losses.values().map(|lost| lost.count).sum()
    }

    /// Counts a good answer to a request whose latency counts from `start`.
    pub(crate) fn answer(&mut self, status: u16, start: Instant) {
        let now = Instant::now();
        let latency = now.saturating_duration_since(start);
        self.answered += 1;
        self.total_latency += latency;
        self.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        *self.statuses.entry(status).or_default() += 1;
        self.interval(now).answered += 1;
    }

    /// Counts a lost request.
    pub(crate) fn lose(&mut self, loss: &Loss) {
        let now = Instant::now();
        let at = now - self.begin;
        if let Loss::Status(status) = loss {
            *self.statuses.entry(*status).or_default() += 1;
        }
        let new = Lost { count: 0, first: at, last: at };
        let entry = self.losses.entry(loss.to_string()).or_insert(new);
        entry.count += 1;
        entry.last = at;
        self.interval(now).lost += 1;
    }

    fn interval(&mut self, now: Instant) -> &mut Interval {
        let (at, after) = (now - self.begin, self.intervals.len() - 1);
        let within = at < self.duration;
        let index = if within { at.as_nanos() / self.interval.as_nanos() } else { u128::MAX };
        &mut self.intervals[usize::try_from(index).unwrap_or(usize::MAX).min(after)]
    }
}

/// The number of intervals of a run; the last may be shorter.
fn intervals(plan: &Plan) -> usize {
    let count = plan.duration.as_nanos().div_ceil(plan.interval.as_nanos());
    usize::try_from(count).expect("the interval is checked to be long enough")
}
