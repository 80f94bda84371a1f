//! The rule of the two missed reports. It is told what time it is, so a test can tell it anything.
//!
//! The library decides by the same rule (`cluster/src/supervisor/health.rs`); here it is on one page.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A report may be under way for this part of a period before it is missed.
const WAY: u32 = 2;

/// How many reports a silence has cost: none for a period and a half, one until two and a half.
pub fn missed(silence: Duration, period: Duration) -> u32 {
    let overdue = silence.saturating_sub(period / WAY).as_micros();
    u32::try_from(overdue / period.as_micros().max(1)).unwrap_or(u32::MAX)
}

/// Who was heard from, and when.
pub struct Monitor {
    period: Duration,
    looked: Instant,
    heard: BTreeMap<u32, Heard>,
}

struct Heard {
    sign: String,
    at: Instant,
    missed: u32,
}

/// Somebody has missed more reports than before, or is heard again.
#[derive(Debug, PartialEq)]
pub struct News {
    pub pid: u32,
    pub missed: u32,
}

impl Monitor {
    pub fn new(period: Duration, now: Instant) -> Self {
        Self { period, looked: now, heard: BTreeMap::new() }
    }

    /// Looks at all workers: who has which sign of life. A sign is anything that changes with each
    /// report. What has changed since the last look comes back.
    pub fn look(&mut self, now: Instant, signs: &BTreeMap<u32, String>) -> Vec<News> {
        // The judge was asleep himself: whose silence it was cannot be known, so it counts for nobody.
        let slept = now - self.looked > self.period;
        self.looked = now;
        self.heard.retain(|pid, _| signs.contains_key(pid));
        let period = self.period;
        let judge = |(pid, sign): (&u32, &String)| {
            let new = || Heard { sign: sign.clone(), at: now, missed: 0 };
            let heard = self.heard.entry(*pid).or_insert_with(new);
            if heard.sign != *sign || slept {
                (heard.sign, heard.at) = (sign.clone(), now);
            }
            let (before, missed) = (heard.missed, missed(now - heard.at, period));
            heard.missed = missed;
            (before != missed).then_some(News { pid: *pid, missed })
        };
        signs.iter().filter_map(judge).collect()
    }
}
