//! The places where numbers are kept. A handle is cheap to clone, and counting takes no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use super::family::Observed;

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(pub(super) Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(pub(super) Arc<AtomicI64>);

impl Gauge {
    /// Sets it to `value`.
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    /// Adds one.
    pub fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Subtracts one.
    pub fn dec(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    pub(super) fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// The number of values in each range.
#[derive(Clone, Debug)]
pub struct Histogram(pub(super) Arc<Ranges>);

#[derive(Debug)]
pub(super) struct Ranges {
    /// Upper bounds, in ascending order.
    bounds: Box<[f64]>,
    /// One more than there are bounds: the last count is for values larger than all of them.
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: &[f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Ranges { bounds: bounds.into(), counts, sum: AtomicU64::new(0) }))
    }

    /// Counts a value. A value that is not a finite number is not counted.
    pub fn observe(&self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let range = self.0.bounds.partition_point(|bound| *bound < value);
        self.0.counts[range].fetch_add(1, Relaxed);
        let add = |bits| Some(Observed::add_sums(f64::from_bits(bits), value).to_bits());
        let _ = self.0.sum.fetch_update(Relaxed, Relaxed, add);
    }

    pub(super) fn get(&self) -> Observed {
        let counts = self.0.counts.iter().map(|count| count.load(Relaxed)).collect();
        Observed { counts, sum: f64::from_bits(self.0.sum.load(Relaxed)) }
    }
}
