//! A series of points with its fit, and series that are compared.

use std::num::NonZeroUsize;

use crate::point::{Interval, Point};
use crate::usl::{self, Fit, Refusal};

/// Series that a report compares, because they share their conditions but for one.
pub struct Group {
    pub heading: String,
    pub series: Vec<Series>,
}

/// Points that were measured under the same conditions, and the law that fits them.
pub struct Series {
    pub name: String,
    /// The points, in the order of N.
    pub points: Vec<Point>,
    /// The cores of the machine that was measured, if they are known.
    pub cores: Option<NonZeroUsize>,
    pub fit: Result<Fit, Refusal>,
}

impl Series {
    /// Fits the law to `points`.
    pub fn new(
        name: impl Into<String>,
        mut points: Vec<Point>,
        cores: Option<NonZeroUsize>,
    ) -> Self {
        points.sort_by(|a, b| a.n.total_cmp(&b.n));
        let fit = usl::fit(&points);
        Self { name: name.into(), points, cores, fit }
    }

    /// The first and the last point; they are the same if the series has only one.
    pub fn ends(&self) -> Option<[&Point; 2]> {
        Some([self.points.first()?, self.points.last()?])
    }

    /// The same series, in multiples of the throughput at its first point. A first point at N = 2
    /// counts as 2, so that linear growth is N.
    pub fn as_gain(&self) -> Self {
        let unit = self.points.first().map_or(1.0, |first| first.throughput / first.n);
        let gain = |point: &Point| Point {
            throughput: point.throughput / unit,
            interval: point
                .interval
                .map(|Interval { low, high }| Interval { low: low / unit, high: high / unit }),
            ..*point
        };
        Self::new(self.name.clone(), self.points.iter().map(gain).collect(), self.cores)
    }

    /// The fit, and the largest N that was measured.
    pub fn fitted(&self) -> Option<(&Fit, f64)> {
        Some((self.fit.as_ref().ok()?, self.points.last()?.n))
    }

    /// The points at which each worker can have a core, if the cores are known.
    pub fn within_cores(&self) -> Option<&[Point]> {
        // Cast: a machine has few cores.
        #[allow(clippy::cast_precision_loss)]
        let cores = self.cores?.get() as f64;
        let count = self.points.partition_point(|point| point.n <= cores);
        Some(&self.points[..count])
    }
}
