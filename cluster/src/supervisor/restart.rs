//! The next attempt for a slot whose worker died: at once, or after a delay.
//!
//! Full jitter: the delay is drawn from the whole range between zero and a bound that doubles.
//! Workers that died together (because a database was down) do not come back together.
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
//!
//! The limit on early deaths changes only what is reported, not whether attempts continue: a database
//! that comes back after an hour finds the service still trying.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Policy;
use super::dice::Dice;

/// The end of a worker's life, as far as its successor is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    /// Before it was ready, or before the minimum up-time.
    Early,
    /// After a stable time.
    Late,
    /// The kernel had no room for it: its program is not to blame.
    Shortage,
}

/// Failures in a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Failures {
    early_deaths: u32,
    /// Refusals by the kernel since a process could last be started.
    refusals: u32,
}

/// The time of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    AtOnce,
    /// After an early death.
    After(Duration),
    /// The limit of early deaths is reached. Attempts continue.
    Errored(Duration),
    /// After a refusal by the kernel.
    Shortage(Duration),
}

impl Failures {
    /// Early deaths in a row.
    pub(super) fn count(&self) -> u32 {
        self.early_deaths
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns whether there are none.
    pub(super) fn is_clear(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether the limit of early deaths is reached.
    pub(super) fn is_limit_reached(&self, policy: &Policy) -> bool {
        self.early_deaths >= policy.max_early_deaths
    }

    /// A worker's life has ended.
    pub(super) fn after(&mut self, end: End, policy: &Policy, dice: &mut Dice) -> Verdict {
        match end {
            End::Late => {
                self.clear();
                Verdict::AtOnce
            }
            End::Shortage => Verdict::Shortage(self.refused(policy, dice)),
            End::Early => {
                let delay = self.failed_attempt(policy, dice);
                if self.is_limit_reached(policy) {
                    // The delays before this one keep the slots apart.
                    Verdict::Errored(policy.restart_delay_max)
                } else {
                    Verdict::After(delay)
                }
            }
        }
    }

    /// An attempt has failed; returns the delay before the next.
    pub(super) fn failed_attempt(&mut self, policy: &Policy, dice: &mut Dice) -> Duration {
        self.early_deaths = self.early_deaths.saturating_add(1);
        self.refusals = 0;
        dice.up_to(bound(self.early_deaths, policy))
    }

    /// The kernel has refused an attempt; returns the delay before the next.
    pub(super) fn refused(&mut self, policy: &Policy, dice: &mut Dice) -> Duration {
        self.refusals = self.refusals.saturating_add(1);
        dice.up_to(bound(self.refusals, policy))
    }
}

/// The longest delay after the nth failure in a row.
fn bound(nth: u32, policy: &Policy) -> Duration {
    let doubled = 2_u32.checked_pow(nth.saturating_sub(1));
    let delay = doubled.and_then(|factor| policy.restart_delay.checked_mul(factor));
    delay.unwrap_or(Duration::MAX).min(policy.restart_delay_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_doubles_up_to_its_maximum() {
        let policy = Policy::default();
        let bounds: Vec<_> = (1..=11).map(|n| bound(n, &policy).as_millis()).collect();
        assert_eq!(bounds[..4], [100, 200, 400, 800]);
        assert_eq!(bounds[8..], [25_600, 30_000, 30_000]);
        assert_eq!(bound(u32::MAX, &policy).as_millis(), 30_000);
    }

    #[test]
    fn stable_life_is_followed_by_a_restart_at_once() {
        let (policy, mut dice) = (Policy::default(), Dice::new(1));
        let mut failures = Failures { early_deaths: 5, refusals: 2 };
        assert_eq!(failures.after(End::Late, &policy, &mut dice), Verdict::AtOnce);
        assert_eq!(failures, Failures::default());
    }

    #[test]
    fn limit_of_early_deaths_brings_the_maximum_delay() {
        let policy = Policy { max_early_deaths: 3, ..Policy::default() };
        let (mut dice, mut failures) = (Dice::new(1), Failures::default());
        let mut death = || failures.after(End::Early, &policy, &mut dice);
        assert!(matches!(death(), Verdict::After(_)));
        assert!(matches!(death(), Verdict::After(_)));
        for _ in 0..100 {
            assert_eq!(death(), Verdict::Errored(policy.restart_delay_max), "attempts continue");
        }
    }

    #[test]
    fn refusal_of_the_kernel_never_counts_as_an_early_death() {
        let policy = Policy { max_early_deaths: 1, ..Policy::default() };
        let (mut dice, mut failures) = (Dice::new(1), Failures::default());
        for _ in 0..100 {
            let verdict = failures.after(End::Shortage, &policy, &mut dice);
            assert!(
                matches!(verdict, Verdict::Shortage(delay) if delay <= policy.restart_delay_max)
            );
        }
        assert_eq!(failures.count(), 0);
    }
}
