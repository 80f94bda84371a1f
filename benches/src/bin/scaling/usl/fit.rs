//! The fit: least squares under the bounds σ ≥ 0, κ ≥ 0 and λ > 0.

use nalgebra::{Matrix3, Vector3};

use super::least_squares::{minimize, sum_of_squares};
use super::{Estimate, Law, NoPeak, Parameter, Peak, Refusal};
use super::{linearised, peak, refusal, uncertainty};
use crate::point::{Interval, Point, different_n};

/// With fewer different N than this, a report warns.
const FEW: usize = 6;

/// The law that fits best, with its uncertainty.
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

/// Sets of free parameters; the others are at their bound.
const ALL_FREE: &[Parameter] = &Parameter::ALL;
const AT_BOUND: [&[Parameter]; 3] = [
    &[Parameter::Lambda],
    &[Parameter::Sigma, Parameter::Lambda],
    &[Parameter::Kappa, Parameter::Lambda],
];

/// Residuals that are smaller than this part of the throughput come from rounding.
const ROUNDING: f64 = 1e-10;

type Candidate = (Law, &'static [Parameter]);

/// The best law within the bounds, with its free parameters: the bounds are an active set. Of equally
/// good laws the one with the fewest free parameters is the best.
///
/// The law with negative parameters has poles, and a search that crosses one can end far away. So the
/// search with all parameters free begins at each of the others' results, too.
fn best(points: &[Point]) -> Option<Candidate> {
    let start = linearised::fit(points);
    let search = |start, free| Some((minimize(points, free, start)?, free));
    let at_bound: Vec<Candidate> =
        AT_BOUND.iter().filter_map(|free| search(fixed(start, free), free)).collect();
    let starts = at_bound.iter().map(|(law, _)| *law).chain([start]);
    let all_free = starts.filter_map(|start| search(start, ALL_FREE)).collect::<Vec<_>>();
    let squares: f64 = points.iter().map(|point| point.throughput.powi(2)).sum();
    let residual =
        |(law, _): &Candidate| sum_of_squares(points, law).max(squares * ROUNDING.powi(2));
    let candidates = at_bound.into_iter().chain(all_free).filter(is_within_bounds);
    candidates.min_by(|a, b| residual(a).total_cmp(&residual(b)))
}

fn is_within_bounds((law, _): &Candidate) -> bool {
    law.sigma >= 0.0 && law.kappa >= 0.0 && law.lambda > 0.0
}

/// The law with 0 for each parameter that is not free.
fn fixed(mut law: Law, free: &[Parameter]) -> Law {
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

    /// Returns whether the different N are so few that the report has to warn.
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
        let error = gradient.dot(&(self.covariance * gradient)).max(0.0).sqrt();
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
