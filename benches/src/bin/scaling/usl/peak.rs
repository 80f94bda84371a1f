//! The peak of a fitted law, and the reasons not to print one.

use std::fmt;

use super::{Estimate, Fit, Law, Parameter, linearised};
use crate::point::Point;

/// The largest throughput of a law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    pub n: f64,
    pub throughput: f64,
}

/// A reason not to print a peak.
///
/// A fit without a degree of freedom is refused as a whole, so it has no reason here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPeak {
    /// κ is at its bound: the law has no peak.
    KappaAtBound,
    /// The interval of κ contains 0: the law may have no peak.
    KappaMayBeZero,
    /// The law would have its peak below one worker.
    Falls,
}

/// The peak of a fit, if the data show one.
pub fn of(fit: &Fit) -> Result<Peak, NoPeak> {
    match fit.estimate(Parameter::Kappa) {
        Estimate::AtBound => Err(NoPeak::KappaAtBound),
        Estimate::Free { interval, .. } if interval.contains(0.0) => Err(NoPeak::KappaMayBeZero),
        Estimate::Free { .. } => at(&fit.law).ok_or(NoPeak::Falls),
    }
}

/// The peak of the curve that passes through three points.
pub fn exact(points: &[Point]) -> Option<Peak> {
    at(&linearised::fit(points))
}

/// N = √((1−σ)/κ), where the derivative of the law is 0, if that is at least one worker.
fn at(law: &Law) -> Option<Peak> {
    let n = ((1.0 - law.sigma) / law.kappa).sqrt();
    (n.is_finite() && n >= 1.0).then(|| Peak { n, throughput: law.throughput(n) })
}

impl fmt::Display for NoPeak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KappaAtBound => "κ is at its bound, and a law with κ = 0 has no peak",
            Self::KappaMayBeZero => {
                "the interval of κ contains 0, and a law with κ = 0 has no peak"
            }
            Self::Falls => "the throughput falls from the first worker on",
        })
    }
}
