//! The supervisor's own time, which stands still while the supervisor cannot run.
//!
//! A machine that slept for an hour wakes up with every deadline long past. A supervisor that
//! believes its clock then kills all workers, although none had a chance to be on time. So a step
//! that comes much later than the moment for which it was promised means that the process was not
//! running: the difference is lost time, and all deadlines move by it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Time;

/// A step may come at most this much later than promised before we conclude that we were not running:
/// if workers report often, a second of sleep already looks like silence from them.
const TOLERANCE: Duration = Duration::from_secs(1);

/// The smallest such tolerance: on a busy machine, every process is this late.
const JITTER: Duration = Duration::from_millis(50);

/// The time by which a step may be late if workers report with this period. A worker's last report is
/// at most one period old when we fall asleep, and the next step is promised within another; so after
/// two and a half periods, when silence counts, we are to blame if the step is more than half a
/// period late. Half of that is kept for the delivery.
pub(super) fn tolerance(heartbeat: Option<Duration>) -> Duration {
    heartbeat.map_or(TOLERANCE, |period| (period / 4).clamp(JITTER, TOLERANCE))
}

/// Translates between the driver's clock and the time that deadlines are counted in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Clock {
    /// The supervisor's own time at the last step.
    own: Time,
    /// The time by which the driver's clock is ahead of it.
    lost: Duration,
}

impl Clock {
    /// The supervisor's own time.
    pub(super) fn now(&self) -> Time {
        self.own
    }

    /// The time on the driver's clock when the supervisor's own time is `at`.
    pub(super) fn on_the_drivers(&self, at: Time) -> Time {
        at.after(self.lost)
    }

    /// The supervisor's own time when the driver's clock shows `real`, if no time is lost in between.
    pub(super) fn own_at(&self, real: Time) -> Time {
        Time(real.0.saturating_sub(self.lost)).max(self.own)
    }

    /// Moves on to `real`. `due` is the supervisor's own time for which a step was promised; the step
    /// may be late by `tolerance`. Returns true if time was lost. A clock that runs backwards stands
    /// still.
    pub(super) fn advance(&mut self, real: Time, due: Option<Time>, tolerance: Duration) -> bool {
        let own = self.own_at(real);
        let Some(due) = due.filter(|due| own > due.after(tolerance)) else {
            self.own = own;
            return false;
        };
        // It is unknown when in the interval we stopped running. Moving on a little, instead of
        // not at all, matters if every step is late: deadlines must still arrive.
        let credible = self.own.after(tolerance).min(due).max(self.own);
        self.lost += own.since(credible);
        self.own = credible;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time(Duration::from_secs(seconds))
    }

    #[test]
    fn time_that_passes_as_promised_is_believed() {
        let mut clock = Clock::default();
        assert!(!clock.advance(at(30), Some(at(30)), TOLERANCE));
        assert_eq!(clock.now(), at(30));
    }

    #[test]
    fn an_hour_of_sleep_moves_every_deadline_by_about_an_hour() {
        let mut clock = Clock::default();
        assert!(clock.advance(at(3600), Some(at(30)), TOLERANCE));
        assert_eq!(clock.now(), at(1));
        assert_eq!(clock.on_the_drivers(at(30)), at(3629));
    }

    #[test]
    fn nothing_is_late_without_a_deadline() {
        let mut clock = Clock::default();
        assert!(!clock.advance(at(3600), None, TOLERANCE));
        assert_eq!(clock.now(), at(3600));
    }

    #[test]
    fn a_clock_that_runs_backwards_stands_still() {
        let mut clock = Clock::default();
        clock.advance(at(10), None, TOLERANCE);
        assert!(!clock.advance(at(5), None, TOLERANCE));
        assert_eq!(clock.now(), at(10));
    }

    #[test]
    fn deadlines_come_even_when_every_step_is_late() {
        let mut clock = Clock::default();
        let mut real = at(0);
        for _ in 0..10 {
            real = real.after(Duration::from_secs(60));
            clock.advance(real, Some(at(10)), TOLERANCE);
        }
        assert_eq!(clock.now(), at(10));
    }
}
