//! The strategies, as one pure function: no clock, no process, no dice of its own.
//!
//! The library decides by the same rule (`cluster/src/supervisor/restart.rs`), and only gets its numbers
//! from here. The demo compares the waits of the library with this page.

use std::time::Duration;

use cluster::Config;
use cluster::config::Builder;

/// The limit of the first delay.
const BASE: Duration = Duration::from_millis(100);
/// The limit of all delays.
const MOST: Duration = Duration::from_secs(30);
/// The smallest limit that the library accepts.
pub const LEAST: Duration = Duration::from_millis(1);
/// After this many early deaths in a row a slot is errored.
pub const LIMIT: u32 = 5;

/// A rule for the restart after an early crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Strategy {
    /// At once (within a millisecond, the least that the library accepts), forever
    Immediate,
    /// After up to 100 ms each time, forever
    Fixed,
    /// After up to 100 ms, then 200 ms, 400 ms and so on up to 30 s, forever
    Exponential,
    /// The same, but after five early deaths in a row the slot is errored, and tried every 30 s
    Breaker,
}

/// The time that a slot stays empty after `failures` early deaths in a row.
///
/// `dice` is a number from 0 to 1, drawn again each time: that is the jitter. An errored slot needs none:
/// the waits before have already spread the slots that died together.
pub fn delay(strategy: Strategy, failures: u32, dice: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let at_most = match strategy {
        Strategy::Immediate => LEAST,
        Strategy::Fixed => BASE,
        Strategy::Breaker if failures >= LIMIT => return MOST,
        Strategy::Exponential | Strategy::Breaker => BASE.saturating_mul(doubled).min(MOST),
    };
    at_most.mul_f64(dice)
}

/// The same strategy as settings of the library.
pub fn settings(strategy: Strategy) -> Builder {
    let (first, most) = match strategy {
        Strategy::Immediate => (LEAST, LEAST),
        Strategy::Fixed => (BASE, BASE),
        Strategy::Exponential | Strategy::Breaker => (BASE, MOST),
    };
    let limit = if strategy == Strategy::Breaker { LIMIT } else { 1_000_000 };
    Config::builder()
        .restart_delay(first) // WORKER_RESTART_DELAY
        .restart_delay_max(most) // WORKER_RESTART_DELAY_MAX
        .max_early_deaths(limit) // WORKER_MAX_EARLY_DEATHS
}
