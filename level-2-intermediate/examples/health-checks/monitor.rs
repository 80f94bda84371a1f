//! The rule of the two missed reports. The time is an argument, so a test can choose it.
//!
//! The library decides by the same rule (`cluster/src/supervisor/health.rs`); here it is on one page.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A report counts as missed if it is late by a period divided by this number.
const WAY: u32 = 2;

/// The number of reports missed in a silence: none for a period and a half, one up to two and a half.
pub fn missed(silence: Duration, period: Duration) -> u32 {
    let overdue = silence.saturating_sub(period / WAY).as_micros();
    u32::try_from(overdue / period.as_micros().max(1)).unwrap_or(u32::MAX)
}

/// The last sign of life of each worker.
pub struct Monitor {
    period: Duration,
    looked: Instant,
    last: BTreeMap<u32, Last>,
}

struct Last {
    sign: String,
    at: Instant,
    missed: u32,
}

/// A worker that has missed more reports than before, or reports again.
#[derive(Debug, PartialEq)]
pub struct News {
    pub pid: u32,
    pub missed: u32,
}

impl Monitor {
    pub fn new(period: Duration, now: Instant) -> Self {
        Self { period, looked: now, last: BTreeMap::new() }
    }

    /// Looks at the sign of life of each worker, by pid. A sign is anything that changes with each
    /// report. Returns the changes since the last look.
    pub fn look(&mut self, now: Instant, signs: &BTreeMap<u32, String>) -> Vec<News> {
        // The monitor itself was asleep: it cannot know which workers were silent, so it blames none.
        let slept = now - self.looked > self.period;
        self.looked = now;
        self.last.retain(|pid, _| signs.contains_key(pid));
        let period = self.period;
        let judge = |(pid, sign): (&u32, &String)| {
            let new = || Last { sign: sign.clone(), at: now, missed: 0 };
            let last = self.last.entry(*pid).or_insert_with(new);
            if last.sign != *sign || slept {
                (last.sign, last.at) = (sign.clone(), now);
            }
            let (before, missed) = (last.missed, missed(now - last.at, period));
            last.missed = missed;
            (before != missed).then_some(News { pid: *pid, missed })
        };
        signs.iter().filter_map(judge).collect()
    }
}
