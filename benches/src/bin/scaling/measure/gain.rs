//! The gain of more workers over one, against bare processes that only work.
//!
//! Two cores rarely do twice the work of one: they share a cache, a clock and a host. So the gain of a
//! server is judged by the gain of bare processes in the same rounds.

use cluster::{Error, Result};
use load::Comparison;

/// The target: this part of the gain of bare processes.
const TARGET: f64 = 0.93;
/// The part of N that bare processes must gain. Below it no server can be judged: other programs run, or
/// the machine's cores are not full cores.
const QUIET: f64 = 0.95;

/// The gain of a number of workers over one. Gains are geometric means of the rounds.
pub struct Gain {
    pub name: &'static str,
    pub workers: usize,
    /// Times the throughput of one worker.
    pub own: f64,
    /// Times the throughput of one bare process.
    pub bare: f64,
    /// The ratio of the two, round by round, with its interval.
    pub ratio: Comparison,
}

impl Gain {
    /// Compares the gains of at least two rounds. A pair has the throughput with one worker and with
    /// several, in one round.
    pub fn new(
        name: &'static str,
        workers: usize,
        own: &[(f64, f64)],
        bare: &[(f64, f64)],
    ) -> Result<Self> {
        let gains = bare.iter().zip(own).map(|(bare, own)| (bare.1 / bare.0, own.1 / own.0));
        let ratio = compare(&gains.collect::<Vec<_>>())?;
        Ok(Self { name, workers, own: compare(own)?.ratio, bare: compare(bare)?.ratio, ratio })
    }

    /// The verdict in a few words.
    pub fn verdict(&self) -> &'static str {
        #[allow(clippy::cast_precision_loss, reason = "workers are few")]
        let quiet = self.bare >= QUIET * self.workers as f64;
        match (self.ratio.low, self.ratio.high) {
            _ if !quiet => "not judged: this machine is busy",
            (low, _) if low >= TARGET => "at least 0.93",
            (_, high) if high < TARGET => "MISSED: less than 0.93",
            _ => "0.93 is not shown",
        }
    }
}

fn compare(pairs: &[(f64, f64)]) -> Result<Comparison> {
    let comparison = Comparison::of(pairs);
    comparison.map_err(|error| Error::because("no gain can be given", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::Gain;

    /// The verdict on rounds with these gains.
    fn verdict(own: &[f64], bare: f64) -> &'static str {
        let own: Vec<_> = own.iter().map(|gain| (10.0, 10.0 * gain)).collect();
        Gain::new("cluster", 2, &own, &vec![(10.0, 10.0 * bare); own.len()]).unwrap().verdict()
    }

    #[test]
    fn gain_is_judged_by_that_of_bare_processes() {
        assert_eq!(verdict(&[1.9, 1.91, 1.89], 2.0), "at least 0.93");
        assert_eq!(verdict(&[1.8, 1.81, 1.79], 2.0), "MISSED: less than 0.93");
        assert_eq!(verdict(&[1.8, 1.81, 1.79], 1.89), "not judged: this machine is busy");
    }

    #[test]
    fn rounds_that_scatter_show_nothing() {
        assert_eq!(verdict(&[1.6, 2.0, 1.95], 2.0), "0.93 is not shown");
    }
}
