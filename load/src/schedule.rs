//! The times at which requests are meant to start: the difference between the two loops.

use std::cell::Cell;
use std::future::pending;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use lab::Result;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Semaphore;
use tokio::time::sleep_until;

/// The pace of the requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each connection sends its next request when it has the answer to the last one.
    Closed,
    /// Requests start at fixed times, `rate` of them per second, however fast the answers are.
    Open {
        /// Requests per second, above 0.
        rate: f64,
    },
}

/// Reports when a timer fires.
#[expect(unsafe_code, reason = "a registration must end before its descriptor is closed")]
fn watch(timer: BorrowedFd<'_>) -> Result<AsyncFd<BorrowedFd<'_>>> {
    // SAFETY: the result borrows the descriptor, so it is dropped before the descriptor is closed,
    // and `BorrowedFd` always returns the same one.
    let watched = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
    Ok(watched.map_err(std::io::Error::from)?) // the error would borrow the timer
}

/// The requests that are to have started before `elapsed` has passed: at 0, 1/rate, 2/rate …
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative")]
fn started(rate: f64, elapsed: Duration) -> u64 {
    // 2,000 times 1.1 s is a little more than 2,200 in floating point.
    (rate * elapsed.as_secs_f64() - 1e-6).ceil() as u64
}

/// The time after the end of an open loop in which clients that are free may still send what was due:
/// a short pause of the generator itself drops nothing.
const GRACE: Duration = Duration::from_millis(50);

/// The schedule of one run, which all clients share.
///
/// In an open loop each request that is due is a permit of a semaphore. Clients get permits in the
/// order in which they began to wait, and permits wait while all clients are busy: then the request
/// starts late, and its latency still counts from the time at which it was due.
pub(crate) struct Schedule {
    pace: Pace,
    begin: Instant,
    duration: Duration,
    due: Semaphore,
    released: Cell<u64>,
    taken: Cell<u64>,
}

impl Schedule {
    /// A schedule that begins now.
    pub(crate) fn new(pace: Pace, duration: Duration) -> Self {
        let (released, taken) = (Cell::new(0), Cell::new(0));
        Self { pace, begin: Instant::now(), duration, due: Semaphore::new(0), released, taken }
    }

    pub(crate) fn begin(&self) -> Instant {
        self.begin
    }

    /// Waits until the next request may be sent; returns the time from which its latency counts, or
    /// nothing after the end of the run.
    pub(crate) async fn next(&self) -> Option<Instant> {
        match self.pace {
            Pace::Closed => {
                let now = Instant::now();
                (now - self.begin < self.duration).then_some(now)
            }
            Pace::Open { rate } => {
                self.due.acquire().await.ok()?.forget();
                Some(self.begin + self.offset(self.taken.replace(self.taken.get() + 1), rate))
            }
        }
    }

    /// Releases the requests of an open loop when they are due, and ends with the run.
    pub(crate) async fn keep_pace(&self) -> Result<()> {
        let Pace::Open { rate } = self.pace else { return pending().await };
        // Timers of tokio have a resolution of 1 ms; this one is exact to some microseconds.
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let fires = watch(timer.as_fd())?;
        let all = started(rate, self.duration);
        loop {
            self.release(started(rate, self.begin.elapsed()).min(all));
            if self.released.get() == all {
                break;
            }
            let next = self.begin + self.offset(self.released.get(), rate);
            let wait = next.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
            let once = Expiration::OneShot(TimeSpec::from_duration(wait));
            timer.set(once, TimerSetTimeFlags::empty())?;
            fires.readable().await?.clear_ready();
        }
        sleep_until((self.begin + self.duration + GRACE).into()).await;
        self.due.close();
        Ok(())
    }

    /// The requests that were due until now, and those of them that no client has taken. They are
    /// counted in two places, so that their sum can be checked.
    pub(crate) fn planned_and_dropped(&self) -> Option<(u64, u64)> {
        let open = self.pace != Pace::Closed;
        open.then(|| (self.released.get(), self.due.available_permits() as u64))
    }

    fn release(&self, due: u64) {
        let more = due - self.released.replace(due);
        self.due.add_permits(usize::try_from(more).unwrap_or(usize::MAX));
    }

    /// The time at which request `number` is due, after the begin of the run.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^52 requests")]
    fn offset(&self, number: u64, rate: f64) -> Duration {
        Duration::from_secs_f64(number as f64 / rate).min(self.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_is_the_rate_times_the_duration() {
        assert_eq!(started(2000.0, Duration::from_secs(10)), 20_000);
        assert_eq!(started(2000.0, Duration::from_millis(1100)), 2200);
        assert_eq!(started(2000.0, Duration::from_micros(700)), 2); // at 0 and at 500 us
        assert_eq!(started(2000.0, Duration::ZERO), 0);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn every_planned_request_is_taken_or_dropped() {
        let schedule = Schedule::new(Pace::Open { rate: 5000.0 }, Duration::from_millis(40));
        let taking = async {
            let mut taken = Vec::new();
            while let Some(due) = schedule.next().await {
                taken.push(due - schedule.begin());
                if taken.len() == 50 {
                    break;
                }
            }
            taken
        };
        let (taken, pace) = tokio::join!(taking, schedule.keep_pace());
        pace.unwrap();
        assert_eq!(schedule.planned_and_dropped(), Some((200, 150)));
        let due: Vec<_> = (0..50).map(|number| Duration::from_micros(200 * number)).collect();
        assert!(taken.iter().zip(&due).all(|(taken, due)| taken.abs_diff(*due).as_nanos() < 10));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn closed_loop_ends_with_its_duration() {
        let over = Schedule::new(Pace::Closed, Duration::ZERO);
        assert_eq!(over.next().await, None);
        let running = Schedule::new(Pace::Closed, Duration::from_secs(3600));
        assert!(running.next().await.is_some());
    }
}
