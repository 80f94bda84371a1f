//! The reasons for which points are not fitted.

use std::fmt;

use super::{Peak, peak};
use crate::point::{Point, different_n};

/// The least number of points: one more than parameters, so that one degree of freedom is left.
const LEAST: usize = 4;

/// A reason for which points are not fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// Fewer than 4 points at different N. Three points have an exact curve, which may have a peak.
    TooFew { different_n: usize, exact: Option<Peak> },
    /// The search for the minimum did not end at one.
    NoMinimum,
}

/// Refuses points that are too few for three parameters.
pub fn check(points: &[Point]) -> Result<(), Refusal> {
    let different_n = different_n(points);
    if different_n >= LEAST {
        return Ok(());
    }
    let exact = (points.len() == 3 && different_n == 3).then(|| peak::exact(points)).flatten();
    Err(Refusal::TooFew { different_n, exact })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { different_n: 3, exact } => {
                f.write_str(
                    "3 points leave no degree of freedom for 3 parameters: a curve passes through \
                     any 3 points, and nothing remains to judge it by",
                )?;
                if let Some(peak) = exact {
                    write!(
                        f,
                        ". That curve has a peak at N = {:.0}; to print it as a result would be an \
                         invention",
                        peak.n
                    )?;
                }
                f.write_str(". Measure at 4 different N, or better at 6")
            }
            Self::TooFew { different_n, .. } => write!(
                f,
                "the law has 3 parameters and needs points at 4 different N, or better at 6; the \
                 number here is {different_n}"
            ),
            Self::NoMinimum => f.write_str(
                "the search for the least sum of squares did not end: look for a wrong line in the \
                 points",
            ),
        }
    }
}
