//! Nonlinear least squares over the parameters that are free.

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt, TerminationReason};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use super::{Law, Parameter};
use crate::point::Point;

/// Changes the `free` parameters of `start` until the sum of squares is minimal; the others stay.
/// Returns `None` if the search does not end.
pub fn minimize(points: &[Point], free: &[Parameter], start: Law) -> Option<Law> {
    let problem = Problem { points, free, law: start };
    let (problem, report) = LevenbergMarquardt::new().minimize(problem);
    match report.termination {
        TerminationReason::ResidualsZero
        | TerminationReason::Orthogonal
        | TerminationReason::Converged { .. }
        // The minimum is reached to the last bit, which the search reports as a failure.
        | TerminationReason::NoImprovementPossible(_) => Some(problem.law),
        _ => None,
    }
}

/// The sum of the squared residuals.
pub fn sum_of_squares(points: &[Point], law: &Law) -> f64 {
    points.iter().map(|point| residual(point, law).powi(2)).sum()
}

/// The derivatives of the residuals: a row per point, a column per free parameter.
pub fn jacobian(points: &[Point], law: &Law, free: &[Parameter]) -> DMatrix<f64> {
    DMatrix::from_fn(points.len(), free.len(), |row, column| {
        law.gradient(points[row].n)[free[column].index()]
    })
}

fn residual(point: &Point, law: &Law) -> f64 {
    law.throughput(point.n) - point.throughput
}

struct Problem<'a> {
    points: &'a [Point],
    free: &'a [Parameter],
    law: Law,
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, values: &DVector<f64>) {
        for (parameter, value) in self.free.iter().zip(values) {
            *parameter.of_mut(&mut self.law) = *value;
        }
    }

    fn params(&self) -> DVector<f64> {
        DVector::from_fn(self.free.len(), |row, _| self.free[row].of(&self.law))
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(DVector::from_fn(self.points.len(), |row, _| residual(&self.points[row], &self.law)))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        Some(jacobian(self.points, &self.law, self.free))
    }
}
