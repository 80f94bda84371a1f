//! The Universal Scalability Law, fitted to measured points.
//!
//! X(N) = λN / (1 + σ(N−1) + κN(N−1)), where N counts the workers and X is the throughput:
//!
//! - λ, the throughput of one worker,
//! - σ, contention: the part of the work that only one worker can do at a time,
//! - κ, coherency: the cost of each pair of workers that have to agree.
//!
//! With κ > 0 the throughput has a peak, after which more workers do less. See Gunther, "Guerrilla
//! Capacity Planning" (2007), and Schwartz, "Practical Scalability Analysis with the Universal
//! Scalability Law" (2015). The tests fit the published data of both, and of R's package `usl`.

mod fit;
mod least_squares;
mod linearised;
#[cfg(test)]
mod oracles;
mod peak;
#[cfg(test)]
mod properties;
mod refusal;
mod uncertainty;

pub use fit::{Fit, fit};
pub use peak::{NoPeak, Peak};
pub use refusal::Refusal;
pub use uncertainty::Estimate;

/// The law with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// Contention; at least 0, without a unit.
    pub sigma: f64,
    /// Coherency; at least 0, without a unit.
    pub kappa: f64,
    /// Throughput at N = 1, in the unit of the points; more than 0.
    pub lambda: f64,
}

impl Law {
    /// The throughput that the law predicts for `n`.
    pub fn throughput(&self, n: f64) -> f64 {
        self.lambda * n / self.slowdown(n)
    }

    /// The derivatives of the throughput by σ, κ and λ.
    fn gradient(&self, n: f64) -> [f64; 3] {
        let slowdown = self.slowdown(n);
        let by_slowdown = -self.lambda * n / slowdown.powi(2);
        [by_slowdown * (n - 1.0), by_slowdown * n * (n - 1.0), n / slowdown]
    }

    fn slowdown(&self, n: f64) -> f64 {
        1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0)
    }
}

/// A parameter of the law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    Sigma,
    Kappa,
    Lambda,
}

impl Parameter {
    pub const ALL: [Self; 3] = [Self::Sigma, Self::Kappa, Self::Lambda];

    /// The value of this parameter in `law`.
    fn of(self, law: &Law) -> f64 {
        match self {
            Self::Sigma => law.sigma,
            Self::Kappa => law.kappa,
            Self::Lambda => law.lambda,
        }
    }

    fn of_mut(self, law: &mut Law) -> &mut f64 {
        match self {
            Self::Sigma => &mut law.sigma,
            Self::Kappa => &mut law.kappa,
            Self::Lambda => &mut law.lambda,
        }
    }

    /// The position of this parameter in gradients and covariances.
    fn index(self) -> usize {
        self as usize
    }
}
