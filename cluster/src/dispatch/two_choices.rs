//! The better of two random workers.

use super::dice::Dice;
use super::{Candidate, Connection, Strategy, Workers};
use crate::supervisor::WorkerId;

/// Draws two workers at random and takes the one with fewer connections: O(1).
///
/// The result is nearly as even as if it looked at all workers, and with many workers this is much
/// cheaper (Mitzenmacher, "The power of two choices in randomized load balancing", 2001).
#[derive(Debug)]
pub struct TwoChoices {
    dice: Dice,
}

impl TwoChoices {
    /// Makes a strategy; the same seed gives the same choices.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed) }
    }
}

impl Strategy for TwoChoices {
    fn choose(&mut self, _: &Connection, workers: &Workers) -> Option<WorkerId> {
        match &**workers {
            [] => None,
            [only] => Some(only.worker),
            many => {
                let first = self.dice.below(many.len());
                // A different one: drawn from all but the first.
                let second = (first + 1 + self.dice.below(many.len() - 1)) % many.len();
                let two = [&many[first], &many[second]];
                two.into_iter().min_by_key(|it| Candidate::load(it)).map(|it| it.worker)
            }
        }
    }
}
