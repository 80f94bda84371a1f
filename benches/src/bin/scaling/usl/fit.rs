//! The fit: least squares under the bounds σ ≥ 0, κ ≥ 0 and λ > 0.

use nalgebra::{Matrix3, Vector3};

use super::least_squares::{minimize, sum_of_squares};
use super::{Estimate, Law, NoPeak, Parameter, Peak, Refusal};
use super::{linearised, peak, refusal, uncertainty};
use crate::point::{Interval, Point, different_n};

/// Fewer points than this fit, with a warning.
const FEW: usize = 6;

/// The law that fits best, and what is known about it.
#[derive(Clone, Debug)]
pub struct Fit {
    pub law: Law,
    /// The sum of the squared residuals.
    sum_of_squares: f64,
    points: usize,
    different_n: usize,
    free: &'static [Parameter],
    covariance: Matrix3<f64>,
}

/// Fits the law to points, or gives the reason why they cannot be fitted.
pub fn fit(points: &[Point]) -> Result<Fit, Refusal> {
    refusal::check(points)?;
    let (law, free) = best(points).ok_or(Refusal::NoMinimum)?;
    let sum_of_squares = sum_of_squares(points, &law);
    let variance = sum_of_squares / as_number(points.len() - free.len());
    let covariance =
        uncertainty::covariance(points, &law, free, variance).ok_or(Refusal::NoMinimum)?;
    let different_n = different_n(points);
    Ok(Fit { law, sum_of_squares, points: points.len(), different_n, free, covariance })
}

/// The sets of free parameters. The first that does not break a bound has the least residual; of the
/// next two, either may be better.
const ALL_FREE: &[Parameter] = &Parameter::ALL;
const ONE_AT_BOUND: [&[Parameter]; 2] =
    [&[Parameter::Sigma, Parameter::Lambda], &[Parameter::Kappa, Parameter::Lambda]];
const LINE: &[Parameter] = &[Parameter::Lambda];

/// The best law within the bounds, with its free parameters: the bounds are an active set.
fn best(points: &[Point]) -> Option<(Law, &'static [Parameter])> {
    let start = linearised::fit(points);
    let within_bounds = |free| {
        let law = minimize(points, free, at_bound(start, free))?;
        (law.sigma >= 0.0 && law.kappa >= 0.0 && law.lambda > 0.0).then_some((law, free))
    };
    let residual = |(law, _): &(Law, _)| sum_of_squares(points, law);
    within_bounds(ALL_FREE)
        .or_else(|| {
            let candidates = ONE_AT_BOUND.into_iter().filter_map(within_bounds);
            candidates.min_by(|a, b| residual(a).total_cmp(&residual(b)))
        })
        .or_else(|| within_bounds(LINE))
}

/// The law with 0 for each parameter that is not free.
fn at_bound(mut law: Law, free: &[Parameter]) -> Law {
    for parameter in Parameter::ALL.iter().filter(|parameter| !free.contains(parameter)) {
        *parameter.of_mut(&mut law) = 0.0;
    }
    law
}

impl Fit {
    /// The number of points minus the number of free parameters; at least 1.
    pub fn degrees_of_freedom(&self) -> usize {
        self.points - self.free.len()
    }

    /// The standard deviation of the residuals, in the unit of the throughput.
    pub fn residual_error(&self) -> f64 {
        (self.sum_of_squares / as_number(self.degrees_of_freedom())).sqrt()
    }

    /// Returns whether the points are so few that the intervals say little.
    pub fn has_few_points(&self) -> bool {
        self.different_n < FEW
    }

    /// The value, standard error and 95 % interval of a parameter.
    pub fn estimate(&self, parameter: Parameter) -> Estimate {
        if !self.free.contains(&parameter) {
            return Estimate::AtBound;
        }
        let value = parameter.of(&self.law);
        let error = self.covariance[(parameter.index(), parameter.index())].sqrt();
        let interval = Interval::around(value, self.t() * error);
        Estimate::Free { value, error, interval }
    }

    /// The 95 % interval of the curve at `n`: of the law, and not of a further measurement.
    pub fn band(&self, n: f64) -> Interval {
        let gradient = Vector3::from(self.law.gradient(n));
        let error = gradient.dot(&(self.covariance * gradient)).sqrt();
        Interval::around(self.law.throughput(n), self.t() * error)
    }

    /// The peak, or the reason not to print one.
    pub fn peak(&self) -> Result<Peak, NoPeak> {
        peak::of(self)
    }

    fn t(&self) -> f64 {
        uncertainty::t_95(self.degrees_of_freedom())
    }
}

// Points are few.
#[allow(clippy::cast_precision_loss)]
fn as_number(count: usize) -> f64 {
    count as f64
}
