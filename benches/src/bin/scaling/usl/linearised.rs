//! The start value of a fit.

use nalgebra::{DMatrix, DVector};

use super::Law;
use crate::point::Point;

/// Fits N/X = (1 + σ(N−1) + κN(N−1)) / λ, which is linear in 1/λ, σ/λ and κ/λ.
///
/// The division distorts the errors: this is where a fit starts, and not its result. An error of X
/// counts X²/N times in N/X, so each equation is multiplied by that. Negative values of σ and κ become
/// 0, because the law with them can have a pole between the points.
pub fn fit(points: &[Point]) -> Law {
    let weight = |point: &Point| point.throughput.powi(2) / point.n;
    let columns = DMatrix::from_fn(points.len(), 3, |row, column| {
        let n = points[row].n;
        weight(&points[row]) * [1.0, n - 1.0, n * (n - 1.0)][column]
    });
    let inverse = DVector::from_fn(points.len(), |row, _| points[row].throughput);
    let solution = columns.svd(true, true).solve(&inverse, 0.0);
    match solution.map(|solution| [solution[0], solution[1], solution[2]]) {
        Ok([one, sigma, kappa]) if one > 0.0 => {
            Law { sigma: (sigma / one).max(0.0), kappa: (kappa / one).max(0.0), lambda: 1.0 / one }
        }
        _ => Law { sigma: 0.0, kappa: 0.0, lambda: best_of_one(points) },
    }
}

/// The largest throughput per worker, if the line does not give one.
fn best_of_one(points: &[Point]) -> f64 {
    points.iter().map(|point| point.throughput / point.n).fold(0.0, f64::max)
}
