//! The evenness of a split, as one number.

/// Jain's index of fairness, (Σx)² / (n Σx²): 1 if all shares are equal, 1/n if one has everything.
///
/// R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness and Discrimination for Resource
/// Allocation in Shared Computer Systems", DEC Research Report TR-301, 1984.
///
/// ```
/// use level_3::fairness::jain;
///
/// assert_eq!(jain(&[10, 10, 10, 10]), 1.0);
/// assert_eq!(jain(&[40, 0, 0, 0]), 0.25);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of a few millions are exact")]
pub fn jain(shares: &[usize]) -> f64 {
    let sum: usize = shares.iter().sum();
    let squares: usize = shares.iter().map(|share| share * share).sum();
    if squares == 0 {
        return 1.0; // an empty split is even
    }
    (sum * sum) as f64 / (shares.len() * squares) as f64
}
