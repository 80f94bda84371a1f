//! The supermarket model: each client looks at `d` queues chosen at random, and joins the shortest.
//!
//! Clients arrive as a Poisson process at `load` per queue and unit of time; each queue serves one
//! client at a time, for an exponential time with mean 1. One look (`d` = 1) is random choice; with
//! two looks the longest queues all but disappear. For infinitely many queues the mean time in the
//! system is Σ load^((dⁱ − d)/(d − 1)) over i ≥ 1, and 1/(1 − load) for d = 1 (M. Mitzenmacher, "The Power of Two Choices in
//! Randomized Load Balancing", 2001).
//!
//! The simulation is a chain of events at a constant rate: an event is an arrival, or the end of a
//! service at a queue chosen at random (of which nothing comes if that queue is empty). So no clock
//! and no list of future events is needed, and by Little's law the mean time is the mean number of
//! clients, divided by their rate of arrival.

/// The mean time in the system for infinitely many queues, in mean service times.
///
/// ```
/// let two = level_3::supermarket::formula(0.9, 2);
/// assert!((two - 2.614).abs() < 0.001);
/// ```
#[must_use]
pub fn formula(load: f64, d: u32) -> f64 {
    let d = f64::from(d);
    // The exponents: 0, d, d + d², d + d² + d³ …
    let mut exponent = 0.0;
    let mut sum = 0.0;
    loop {
        let term = load.powf(exponent);
        sum += term;
        if term < 1e-12 {
            return sum;
        }
        exponent = exponent * d + d;
    }
}

/// The mean time in the system of `events` events in a system of `queues` queues, in mean service
/// times. The first tenth of the events only fills the system.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "numbers of events are far below 2^52")]
pub fn simulate(queues: u32, load: f64, d: u32, events: u64, seed: u64) -> f64 {
    let mut dice = Dice(seed);
    let mut lengths = vec![0_u32; queues as usize];
    let (mut clients, mut sum) = (0_u64, 0_u64);
    let warm_up = events / 10;
    // Out of 1 + load events, `load` are arrivals.
    let arrivals = load / (1.0 + load);
    for event in 0..events + warm_up {
        if dice.fraction() < arrivals {
            let shortest = (0..d).map(|_| dice.below(queues)).min_by_key(|at| lengths[*at]);
            lengths[shortest.unwrap_or_default()] += 1;
            clients += 1;
        } else {
            let at = dice.below(queues);
            if lengths[at] > 0 {
                lengths[at] -= 1;
                clients -= 1;
            }
        }
        if event >= warm_up {
            sum += clients;
        }
    }
    sum as f64 / events as f64 / (load * f64::from(queues))
}

/// A small generator of random numbers (splitmix64): fast, seeded, good enough for queues.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from 0 up to `n`.
    fn below(&mut self, n: u32) -> usize {
        usize::try_from(((self.next() >> 32) * u64::from(n)) >> 32).expect("below n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The issue's figures for a load of 0.9: 10, 2.614 and 2.028 for infinitely many queues.
    #[test]
    fn formula_gives_the_published_times() {
        for (d, expected) in [(2, 2.614), (3, 2.028)] {
            assert!((formula(0.9, d) - expected).abs() < 0.001, "{d}: {}", formula(0.9, d));
        }
    }
}
