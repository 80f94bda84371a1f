//! When a slot whose worker died is filled again: at once, after a delay, or not any more.
//!
//! Full jitter: the delay is drawn from the whole range between nothing and a bound that doubles.
//! Workers that died together (a database was gone) do not come back together.
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Policy;
use super::dice::Dice;

/// Early deaths in a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Failures(u32);

/// What is to be done about a death.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    AtOnce,
    After(Duration),
    GiveUp,
}

impl Failures {
    pub(super) fn count(&self) -> u32 {
        self.0
    }

    pub(super) fn clear(&mut self) {
        self.0 = 0;
    }

    /// A worker died, early or after a stable time.
    pub(super) fn death(&mut self, early: bool, policy: &Policy, dice: &mut Dice) -> Verdict {
        if !early {
            self.clear();
            return Verdict::AtOnce;
        }
        self.0 = self.0.saturating_add(1);
        if self.0 >= policy.max_early_deaths {
            return Verdict::GiveUp;
        }
        Verdict::After(dice.up_to(bound(self.0, policy)))
    }

    /// The same for an attempt that is repeated for ever.
    pub(super) fn failed_attempt(&mut self, policy: &Policy, dice: &mut Dice) -> Duration {
        self.0 = self.0.saturating_add(1);
        dice.up_to(bound(self.0, policy))
    }
}

/// The longest delay after the nth early death in a row.
fn bound(nth: u32, policy: &Policy) -> Duration {
    let doubled = 2_u32.checked_pow(nth.saturating_sub(1));
    let delay = doubled.and_then(|factor| policy.restart_delay.checked_mul(factor));
    delay.unwrap_or(Duration::MAX).min(policy.restart_delay_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_maximum() {
        let policy = Policy::default();
        let bounds: Vec<_> = (1..=11).map(|n| bound(n, &policy).as_millis()).collect();
        assert_eq!(bounds[..4], [100, 200, 400, 800]);
        assert_eq!(bounds[8..], [25_600, 30_000, 30_000]);
        assert_eq!(bound(u32::MAX, &policy).as_millis(), 30_000);
    }

    #[test]
    fn a_stable_life_is_followed_by_a_restart_at_once_and_clears_the_count() {
        let (policy, mut dice, mut failures) = (Policy::default(), Dice::new(1), Failures(5));
        assert_eq!(failures.death(false, &policy, &mut dice), Verdict::AtOnce);
        assert_eq!(failures.count(), 0);
    }

    #[test]
    fn so_many_early_deaths_in_a_row_are_enough() {
        let policy = Policy { max_early_deaths: 3, ..Policy::default() };
        let (mut dice, mut failures) = (Dice::new(1), Failures::default());
        assert!(matches!(failures.death(true, &policy, &mut dice), Verdict::After(_)));
        assert!(matches!(failures.death(true, &policy, &mut dice), Verdict::After(_)));
        assert_eq!(failures.death(true, &policy, &mut dice), Verdict::GiveUp);
    }
}
