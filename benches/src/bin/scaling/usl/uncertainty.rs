//! Standard errors and intervals of a fit.

use nalgebra::Matrix3;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::least_squares::jacobian;
use super::{Law, Parameter};
use crate::point::{Interval, Point};

/// A fitted parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimate {
    /// The bound, 0, stopped the fit: the data cannot give an error or an interval.
    AtBound,
    /// The value with its standard error and its 95 % interval.
    Free { value: f64, error: f64, interval: Interval },
}

/// s²(JᵀJ)⁻¹ over the free parameters; rows and columns of the others are 0. `None` if the points do
/// not determine the free parameters.
pub fn covariance(
    points: &[Point],
    law: &Law,
    free: &[Parameter],
    variance: f64,
) -> Option<Matrix3<f64>> {
    let mut jacobian = jacobian(points, law, free);
    // Columns of one length: κ can be a million times smaller than λ.
    let lengths: Vec<f64> = jacobian.column_iter().map(|column| column.norm()).collect();
    for (mut column, length) in jacobian.column_iter_mut().zip(&lengths) {
        column /= *length;
    }
    let inverse = (jacobian.transpose() * jacobian).cholesky()?.inverse();
    let mut covariance = Matrix3::zeros();
    for (i, row) in free.iter().enumerate() {
        for (j, column) in free.iter().enumerate() {
            covariance[(row.index(), column.index())] =
                variance * inverse[(i, j)] / (lengths[i] * lengths[j]);
        }
    }
    Some(covariance)
}

/// The number of standard errors on either side of an estimate in its 95 % interval.
pub fn t_95(degrees_of_freedom: usize) -> f64 {
    t(0.975, degrees_of_freedom)
}

/// The quantile of Student's t distribution at `probability`.
pub fn t(probability: f64, degrees_of_freedom: usize) -> f64 {
    // Cast: points are few.
    #[allow(clippy::cast_precision_loss)]
    let student = StudentsT::new(0.0, 1.0, degrees_of_freedom as f64);
    student.expect("a fit leaves at least one degree of freedom").inverse_cdf(probability)
}

#[cfg(test)]
mod tests {
    use super::t_95;

    /// Values of a printed table.
    #[test]
    fn t_agrees_with_tables() {
        let table =
            [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (10, 2.2281), (29, 2.0452)];
        for (degrees_of_freedom, printed) in table {
            let ours = t_95(degrees_of_freedom);
            assert!((ours - printed).abs() < 0.00006, "{degrees_of_freedom}: {ours}");
        }
    }
}
