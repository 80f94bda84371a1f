//! The lines of a chart, as coordinates.

use crate::series::Series;

/// The coordinates (N, X) of a line.
pub type Line = Vec<(f64, f64)>;

/// Samples of a curve.
const SAMPLES: u32 = 400;

/// Room beyond the largest number.
const ROOM: f64 = 1.08;

/// Dashes along the width of a chart, if they lie level.
const DASHES: f64 = 60.0;

/// The part of the plane that a chart shows; it begins at 0.
#[derive(Clone, Copy)]
pub struct Frame {
    /// The largest N that is shown.
    pub n: f64,
    /// The largest X that is shown.
    pub x: f64,
}

impl Frame {
    /// The frame of a chart without points.
    pub const EMPTY: Self = Self { n: 1.0, x: 1.0 };

    /// A frame with all points of a series, and with its peak if that is not far away.
    pub fn of(series: &Series) -> Self {
        let points = series.points.iter().map(|of| Self {
            n: ROOM * of.n,
            x: ROOM * of.interval.map_or(of.throughput, |interval| interval.high),
        });
        let measured = points.reduce(Self::and).unwrap_or(Self::EMPTY);
        let Some((fit, last_n)) = series.fitted() else { return measured };
        let at = |n| Self { n, x: ROOM * fit.law.throughput(n) };
        let peak = fit.peak().ok().filter(|peak| peak.n < 2.0 * last_n);
        let with_peak = peak.map_or(measured, |peak| {
            measured.and(Self { n: ROOM * peak.n, x: ROOM * peak.throughput })
        });
        with_peak.and(at(with_peak.n))
    }

    /// A frame that holds both.
    pub fn and(self, other: Self) -> Self {
        Self { n: self.n.max(other.n), x: self.x.max(other.x) }
    }

    /// A curve between two N, kept within the frame.
    pub fn sampled(&self, from: f64, to: f64, curve: impl Fn(f64) -> f64) -> Line {
        let sample = |i| {
            let n = from + (to - from) * f64::from(i) / f64::from(SAMPLES);
            (n, curve(n).clamp(0.0, self.x))
        };
        (0..=SAMPLES).map(sample).collect()
    }

    /// Dashes along a line, of equal length on the chart.
    pub fn dashes(&self, line: &Line) -> Vec<Line> {
        let mut length = 0.0;
        let mut pieces: Vec<Line> = Vec::new();
        for ends in line.windows(2) {
            let was_dash = is_dash(length);
            length += ((ends[1].0 - ends[0].0) / self.n).hypot((ends[1].1 - ends[0].1) / self.x);
            match pieces.last_mut() {
                Some(piece) if is_dash(length) && was_dash => piece.push(ends[1]),
                _ if is_dash(length) => pieces.push(ends.to_vec()),
                _ => {}
            }
        }
        pieces
    }
}

/// Returns whether a dash is drawn at this distance from the beginning of its line; else a gap.
fn is_dash(distance: f64) -> bool {
    (distance * DASHES).fract() < 0.6
}
