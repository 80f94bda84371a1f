//! Pseudo-random numbers. No secret depends on them, so a few lines are enough.

/// Spreads the bits of a number over all 64: the finaliser of `SplitMix64` (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014).
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A sequence that depends only on its seed.
#[derive(Debug)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`, which must not be 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        // The upper half of a product with 64 more bits: no division, and hardly any bias.
        let product = u128::from(mix(self.state)) * bound as u128;
        usize::try_from(product >> 64).expect("it is below a usize")
    }
}
