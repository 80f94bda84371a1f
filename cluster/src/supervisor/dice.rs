//! Randomness that is part of the state, so that a history can be replayed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `SplitMix64`: small, fast, and good enough to spread delays.
/// <https://prng.di.unimi.it/splitmix64.c>
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A time between zero and `most`, each as likely as any other.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.below_or_at(nanos))
    }

    /// `middle`, give or take a tenth.
    pub(super) fn about(&mut self, middle: u64) -> u64 {
        let tenth = middle / 10;
        (middle - tenth).saturating_add(self.below_or_at(tenth.saturating_mul(2)))
    }

    /// `middle`, give or take a tenth.
    pub(super) fn about_duration(&mut self, middle: Duration) -> Duration {
        let nanos = u64::try_from(middle.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.about(nanos))
    }

    fn below_or_at(&mut self, most: u64) -> u64 {
        // Multiply and shift: the bias is below 2^-64 times `most`, too small to matter here.
        let scaled = u128::from(self.next()) * (u128::from(most) + 1);
        u64::try_from(scaled >> 64)
            .expect("a 64-bit number times at most 2^64, without its low half")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_may_be_anything_up_to_its_bound() {
        let (mut dice, bound) = (Dice::new(7), Duration::from_millis(100));
        let drawn: Vec<_> = (0..1000).map(|_| dice.up_to(bound)).collect();
        assert!(drawn.iter().all(|&delay| delay <= bound));
        assert!(drawn.iter().any(|&delay| delay < bound / 20));
        assert!(drawn.iter().any(|&delay| delay > bound * 19 / 20));
    }

    #[test]
    fn about_means_a_tenth_more_or_less() {
        let mut dice = Dice::new(7);
        let drawn: Vec<_> = (0..1000).map(|_| dice.about(1000)).collect();
        assert!(drawn.iter().all(|n| (900..=1100).contains(n)));
        assert!(drawn.iter().any(|&n| n < 910) && drawn.iter().any(|&n| n > 1090));
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        let mut dice = Dice::new(7);
        dice.up_to(Duration::MAX);
        dice.about(u64::MAX);
        assert_eq!(dice.up_to(Duration::ZERO), Duration::ZERO);
        assert_eq!(dice.about(3), 3);
    }
}
