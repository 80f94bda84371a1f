//! The work of one request.

use std::fmt::{self, Display, Formatter};
use std::hint::black_box;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use cluster::{Error, Result};
use nix::time::{ClockId, clock_gettime};

/// Calibration begins with this number of rounds, and doubles it until they take [`LONG_ENOUGH`].
const FIRST_TRY: u64 = 1 << 16;
const LONG_ENOUGH: Duration = Duration::from_millis(20);

/// The work of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// CPU-bound: a calculation of this many rounds. The number is fixed and not the time, so that a
    /// slower core or a shared cache shows in the throughput.
    Compute {
        /// Rounds; each takes about a nanosecond.
        rounds: u64,
    },
    /// I/O-bound, asynchronous: the answer to another service is awaited. The thread is free meanwhile.
    Wait(Duration),
    /// I/O-bound, blocking: a synchronous driver holds the thread until the answer is there.
    Block(Duration),
}

impl Work {
    /// A calculation that takes `time` of CPU time on this machine, if nothing disturbs it.
    #[must_use]
    pub fn compute(time: Duration) -> Self {
        let mut rounds = FIRST_TRY;
        while cpu_time_of(rounds) < LONG_ENOUGH {
            rounds *= 2;
        }
        // The least of a few: whatever disturbs a calculation makes it longer.
        let tries = (0..3).map(|_| cpu_time_of(rounds));
        let least = tries.min().unwrap_or(LONG_ENOUGH).as_nanos().max(1);
        let rounds = u128::from(rounds) * time.as_nanos() / least;
        Self::Compute { rounds: u64::try_from(rounds).unwrap_or(u64::MAX).max(1) }
    }

    /// Does the work, as a handler of requests does.
    pub async fn carry_out(self) {
        match self {
            Self::Wait(time) => tokio::time::sleep(time).await,
            Self::Compute { rounds } => calculate(rounds),
            Self::Block(time) => thread::sleep(time),
        }
    }
}

/// A chain of multiplications: no step can begin before the last one has ended.
pub(super) fn calculate(rounds: u64) {
    let mut value = 1_u64;
    for round in 0..rounds {
        value = black_box(value.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round);
    }
}

/// The CPU time that this thread takes for a calculation.
fn cpu_time_of(rounds: u64) -> Duration {
    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    let begin = now().expect("every thread has this clock");
    calculate(rounds);
    now().expect("every thread has this clock").saturating_sub(begin)
}

/// The work as text, for the environment of a rival: `compute:ROUNDS`, or `wait:` and `block:` with
/// microseconds.
impl Display for Work {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compute { rounds } => write!(f, "compute:{rounds}"),
            Self::Wait(time) => write!(f, "wait:{}", time.as_micros()),
            Self::Block(time) => write!(f, "block:{}", time.as_micros()),
        }
    }
}

impl FromStr for Work {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| text.parse::<u64>().ok();
        let work = text.split_once(':').and_then(|(kind, amount)| match (kind, number(amount)?) {
            ("compute", rounds) => Some(Self::Compute { rounds }),
            ("wait", time) => Some(Self::Wait(Duration::from_micros(time))),
            ("block", time) => Some(Self::Block(Duration::from_micros(time))),
            _ => None,
        });
        work.ok_or_else(|| Error::new(format!("{text:?} is not a kind of work")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_survives_the_environment() {
        let time = Duration::from_millis(10);
        for work in [Work::Compute { rounds: 7 }, Work::Wait(time), Work::Block(time)] {
            assert_eq!(work.to_string().parse::<Work>().unwrap(), work);
        }
        for wrong in ["", "wait", "wait:", "wait:soon", "rest:10"] {
            assert!(wrong.parse::<Work>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn calibrated_work_grows_with_its_time() {
        let rounds = |ms| match Work::compute(Duration::from_millis(ms)) {
            Work::Compute { rounds } => rounds,
            other => panic!("{other}"),
        };
        assert!(rounds(50) > 10 * rounds(1));
    }
}
