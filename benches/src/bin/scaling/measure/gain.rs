//! The gain of more workers over one, against bare processes that only work.
//!
//! Two cores rarely do twice the work of one: they share a cache, a clock and a host. So the gain of a
//! server is judged by the gain of bare processes in the same rounds.

use benches::median;

/// The target: this part of the gain of bare processes.
const TARGET: f64 = 0.93;
/// A machine on which bare processes gain less than this part of N is busy with other programs.
const QUIET: f64 = 0.95;

/// The gain of a number of workers over one; medians of the rounds.
pub struct Gain {
    pub name: &'static str,
    pub workers: usize,
    /// Times the throughput of one worker.
    pub own: f64,
    /// Times the throughput of one bare process.
    pub bare: f64,
    /// `own / bare`, round by round.
    pub ratio: f64,
}

/// The throughputs with one worker and with several, by round.
type Pairs = (Vec<f64>, Vec<f64>);

impl Gain {
    pub fn new(name: &'static str, workers: usize, own: &Pairs, bare: &Pairs) -> Self {
        let gains = |(one, more): &Pairs| -> Vec<f64> {
            one.iter().zip(more).map(|(one, more)| more / one).collect()
        };
        let (own, bare) = (gains(own), gains(bare));
        let ratios = own.iter().zip(&bare).map(|(own, bare)| own / bare).collect();
        Self { name, workers, own: median(own), bare: median(bare), ratio: median(ratios) }
    }

    /// The verdict in one word or two.
    pub fn verdict(&self) -> &'static str {
        #[allow(clippy::cast_precision_loss, reason = "workers are few")]
        let quiet = self.bare >= QUIET * self.workers as f64;
        match (quiet, self.ratio >= TARGET) {
            (false, _) => "not judged: this machine is busy",
            (true, true) => "at least 0.93",
            (true, false) => "MISSED: less than 0.93",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gain;

    fn verdict(own: f64, bare: f64) -> &'static str {
        let pairs =
            |gain: f64| (vec![10.0, 11.0, 12.0], vec![10.0 * gain, 11.0 * gain, 12.0 * gain]);
        Gain::new("cluster", 2, &pairs(own), &pairs(bare)).verdict()
    }

    #[test]
    fn gain_is_judged_by_that_of_bare_processes() {
        assert_eq!(verdict(1.9, 2.0), "at least 0.93");
        assert_eq!(verdict(1.8, 2.0), "MISSED: less than 0.93");
        assert_eq!(verdict(1.8, 1.89), "not judged: this machine is busy");
    }
}
