//! The statistics of a comparison: pairs of runs, and the ratio that they show.

use std::fmt::{self, Display, Formatter};

use lab::Result;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The least number of pairs.
pub const FEWEST_PAIRS: usize = 10;

/// The probability that an interval covers the true ratio.
const CONFIDENCE: f64 = 0.95;
/// The probability with which a difference of [`Comparison::findable`] is found.
const POWER: f64 = 0.95;

/// The ratio B/A of a figure that was measured in pairs.
///
/// The logarithms of the pairs' ratios are taken as normally distributed. Their mean has an interval
/// from Student's t, which is carried back to ratios.
///
/// ```
/// use load::{Comparison, Verdict};
///
/// let pairs: Vec<(f64, f64)> = (0..10).map(|i| (100.0 + f64::from(i), 111.0)).collect();
/// let comparison = Comparison::of(&pairs)?;
/// assert_eq!(comparison.verdict(), Verdict::Higher);
/// # Ok::<(), lab::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Comparison {
    /// The number of pairs.
    pub pairs: usize,
    /// The geometric mean of the ratios B/A.
    pub ratio: f64,
    /// The lower end of the 95 % interval of the ratio.
    pub low: f64,
    /// The upper end of the 95 % interval of the ratio.
    pub high: f64,
    /// The standard deviation of the ratios, as a part of 1.
    pub scatter: f64,
    /// The smallest difference that pairs with this scatter would find in 95 of 100 comparisons, as a
    /// part of 1.
    pub findable: f64,
}

/// The answer of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// B is higher: the interval is above 1.
    Higher,
    /// B is lower: the interval is below 1.
    Lower,
    /// The interval contains 1: a difference may exist, and these pairs did not find it.
    NotFound,
}

impl Comparison {
    /// Compares the figures (A, B) of each pair.
    ///
    /// # Errors
    /// There are fewer than two pairs, or a figure is not above 0.
    pub fn of(pairs: &[(f64, f64)]) -> Result<Self> {
        let logs: Vec<f64> = pairs.iter().map(|(a, b)| (b / a).ln()).collect();
        if logs.len() < 2 {
            return Err("a comparison needs at least two pairs".into());
        }
        if !logs.iter().all(|log| log.is_finite()) {
            return Err("a run without good answers cannot be compared".into());
        }
        let count = to_float(logs.len());
        let mean = logs.iter().sum::<f64>() / count;
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        let deviation = (squares / (count - 1.0)).sqrt();
        let error = deviation / count.sqrt();
        let t = StudentsT::new(0.0, 1.0, count - 1.0)?;
        let half = t.inverse_cdf(f64::midpoint(1.0, CONFIDENCE)) * error;
        Ok(Self {
            pairs: logs.len(),
            ratio: mean.exp(),
            low: (mean - half).exp(),
            high: (mean + half).exp(),
            scatter: deviation.exp_m1(),
            findable: (half + t.inverse_cdf(POWER) * error).exp_m1(),
        })
    }

    /// The verdict on whether B differs from A.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.low, self.high) {
            (low, _) if low > 1.0 => Verdict::Higher,
            (_, high) if high < 1.0 => Verdict::Lower,
            _ => Verdict::NotFound,
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { pairs, ratio, low, high, .. } = self;
        write!(f, "B/A = {ratio:.3}, 95 % interval {low:.3} to {high:.3}: ")?;
        let percent = 100.0 * (ratio - 1.0).abs();
        match self.verdict() {
            Verdict::Higher => write!(f, "B is {percent:.1} % higher"),
            Verdict::Lower => write!(f, "B is {percent:.1} % lower"),
            Verdict::NotFound => {
                let (scatter, findable) = (100.0 * self.scatter, 100.0 * self.findable);
                write!(f, "no difference found; {pairs} pairs that scatter by {scatter:.1} % ")?;
                write!(f, "would find only differences above {findable:.1} %")
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "pairs are few")]
fn to_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use statrs::distribution::Normal;

    use super::*;

    /// The verdicts of 1,000 comparisons in which B/A is `ratio`, and each run scatters by 2 to 5 %.
    fn verdicts(ratio: f64) -> Vec<Verdict> {
        let mut dice = fastrand::Rng::with_seed(13);
        let comparisons = (0..1000).map(|_| {
            let scatter = Normal::new(0.0, 0.02 + 0.03 * dice.f64()).unwrap();
            let mut run = |true_value: f64| true_value * scatter.inverse_cdf(dice.f64()).exp();
            let pairs: Vec<_> = (0..FEWEST_PAIRS).map(|_| (run(50e3), run(50e3 * ratio))).collect();
            Comparison::of(&pairs).unwrap().verdict()
        });
        comparisons.collect()
    }

    #[test]
    fn equal_servers_are_called_equal_in_93_of_100() {
        let equal = verdicts(1.0).iter().filter(|it| **it == Verdict::NotFound).count();
        assert!((930..=980).contains(&equal), "{equal} of 1000");
    }

    #[test]
    fn ten_percent_are_found_in_95_of_100() {
        let higher = verdicts(1.1).iter().filter(|it| **it == Verdict::Higher).count();
        assert!(higher >= 950, "{higher} of 1000");
        let lower = verdicts(1.0 / 1.1).iter().filter(|it| **it == Verdict::Lower).count();
        assert!(lower >= 950, "{lower} of 1000");
    }

    #[test]
    fn interval_agrees_with_a_worked_example() {
        // Logs of the ratios 0.1, 0.2, 0.3: mean 0.2, deviation 0.1, t(0.975, 2) = 4.302653.
        let pairs = [0.1_f64, 0.2, 0.3].map(|log| (1.0, log.exp()));
        let comparison = Comparison::of(&pairs).unwrap();
        let half = 4.302_653 * 0.1 / 3.0_f64.sqrt();
        assert!((comparison.ratio.ln() - 0.2).abs() < 1e-9);
        assert!((comparison.low.ln() - (0.2 - half)).abs() < 1e-6);
        assert!((comparison.high.ln() - (0.2 + half)).abs() < 1e-6);
    }

    #[test]
    fn equal_is_never_said_without_its_limit() {
        let pairs = [(100.0, 130.0), (100.0, 75.0), (100.0, 101.0)];
        let text = Comparison::of(&pairs).unwrap().to_string();
        assert!(text.contains("no difference found"), "{text}");
        assert!(text.contains("would find only differences above"), "{text}");
    }

    #[test]
    fn equal_figures_have_the_ratio_one() {
        let comparison = Comparison::of(&[(5.0, 5.0); 10]).unwrap();
        assert_eq!(comparison.verdict(), Verdict::NotFound);
        assert!(comparison.scatter.abs() < f64::EPSILON);
    }

    #[test]
    fn run_without_answers_is_refused() {
        assert!(Comparison::of(&[(0.0, 5.0), (5.0, 5.0)]).is_err());
        assert!(Comparison::of(&[(5.0, 5.0)]).is_err());
    }
}
