//! The points of a measurement.

/// One measured point of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The number of workers, threads or clients; at least 1.
    pub n: f64,
    /// The throughput at `n`, in the unit of the series; more than 0.
    pub throughput: f64,
    /// The 95 % interval of the throughput, if it was measured several times.
    pub interval: Option<Interval>,
    /// The CPU time of the load generator, as a part of one core, if there was one.
    pub generator: Option<f64>,
}

impl Point {
    /// A point without an interval.
    pub fn new(n: f64, throughput: f64) -> Self {
        Self { n, throughput, interval: None, generator: None }
    }
}

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// The interval from `middle - half` to `middle + half`.
    pub fn around(middle: f64, half: f64) -> Self {
        Self { low: middle - half, high: middle + half }
    }

    pub fn contains(&self, number: f64) -> bool {
        (self.low..=self.high).contains(&number)
    }
}

/// The number of different N among the points: points at the same N add little to a curve.
pub fn different_n(points: &[Point]) -> usize {
    let mut all: Vec<f64> = points.iter().map(|point| point.n).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all.len()
}
