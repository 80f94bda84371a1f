//! The mean of a figure over several runs, with its interval.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The mean of several runs, with its 95 % interval from Student's t.
///
/// ```
/// use load::Mean;
///
/// let mean = Mean::of(&[9.0, 10.0, 11.0]).expect("there are three");
/// assert_eq!(mean.value, 10.0);
/// assert!((mean.low..mean.high).contains(&8.0) && mean.low > 7.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Mean {
    /// The mean of these figures; `None` if there are fewer than two, which have no interval.
    #[must_use]
    pub fn of(figures: &[f64]) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "runs are few")]
        let count = figures.len() as f64;
        let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
        let value = figures.iter().sum::<f64>() / count;
        let squares: f64 = figures.iter().map(|figure| (figure - value).powi(2)).sum();
        let half = student.inverse_cdf(0.975) * (squares / (count - 1.0) / count).sqrt();
        Some(Self { value, low: value - half, high: value + half })
    }

    /// Returns whether the intervals have a point in common: then the runs do not tell the two apart.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::Mean;

    #[test]
    fn interval_is_that_of_student() {
        let mean = Mean::of(&[9.0, 10.0, 11.0]).unwrap();
        assert!((mean.high - 10.0 - 4.302_652_7 / 3_f64.sqrt()).abs() < 1e-6); // t for 2 degrees
    }

    #[test]
    fn one_run_has_no_interval() {
        assert_eq!(Mean::of(&[1.0]), None);
        assert_eq!(Mean::of(&[]), None);
    }

    #[test]
    fn intervals_that_touch_overlap() {
        let between = |low, high| Mean { value: f64::midpoint(low, high), low, high };
        assert!(between(1.0, 2.0).overlaps(&between(2.0, 3.0)));
        assert!(!between(1.0, 2.0).overlaps(&between(2.1, 3.0)));
    }
}
