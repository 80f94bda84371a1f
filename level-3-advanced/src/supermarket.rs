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
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut lengths = vec![0_u32; queues as usize];
    let (mut clients, mut sum) = (0_u64, 0_u64);
    let warm_up = events / 10;
    // Out of 1 + load events, `load` are arrivals.
    let arrivals = load / (1.0 + load);
    for event in 0..events + warm_up {
        if dice.f64() < arrivals {
            let shortest =
                (0..d).map(|_| dice.usize(..lengths.len())).min_by_key(|at| lengths[*at]);
            lengths[shortest.unwrap_or_default()] += 1;
            clients += 1;
        } else {
            let at = dice.usize(..lengths.len());
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
