//! The lines of a chart, as coordinates.

use crate::series::Series;

/// The coordinates (N, X) of a line.
pub type Line = Vec<(f64, f64)>;

/// Samples of a curve.
const SAMPLES: u32 = 160;

/// Room beyond the largest number.
const ROOM: f64 = 1.08;

/// The part of the plane that a chart shows; it begins at 0.
#[derive(Clone, Copy)]
pub struct Frame {
    /// The largest N that is shown.
    pub n: f64,
    /// The largest X that is shown.
    pub x: f64,
    /// The largest N that was measured.
    pub last_n: f64,
}

impl Frame {
    /// A frame with all points, and with the peaks that are not far away.
    pub fn of(all: &[&Series]) -> Self {
        let points = || all.iter().flat_map(|series| &series.points);
        let largest = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(0.0, f64::max);
        let last_n = largest(&mut points().map(|point| point.n));
        let fits = || all.iter().filter_map(|series| series.fit.as_ref().ok());
        let peaks = || fits().filter_map(|fit| fit.peak().ok()).filter(|at| at.n < 2.0 * last_n);
        let n = ROOM * largest(&mut peaks().map(|peak| peak.n)).max(last_n);
        let measured =
            points().map(|of| of.interval.map_or(of.throughput, |interval| interval.high));
        let curves = fits().map(|fit| fit.law.throughput(n));
        let peaks = peaks().map(|peak| peak.throughput);
        let x = ROOM * largest(&mut measured.chain(curves).chain(peaks));
        Self { n, x, last_n }
    }

    /// A curve between two N, kept within the frame.
    pub fn sampled(&self, from: f64, to: f64, curve: impl Fn(f64) -> f64) -> Line {
        let sample = |i| {
            let n = from + (to - from) * f64::from(i) / f64::from(SAMPLES);
            (n, curve(n).clamp(0.0, self.x))
        };
        (0..=SAMPLES).map(sample).collect()
    }
}

/// The dashes of a line of samples.
pub fn dashes(line: &Line) -> Vec<Line> {
    const DASH: usize = 5;
    const GAP: usize = 3;
    line.chunks(DASH + GAP).map(|chunk| chunk.iter().copied().take(DASH).collect()).collect()
}
