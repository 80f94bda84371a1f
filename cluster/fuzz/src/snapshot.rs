//! The counts that a hostile worker reports.

use std::collections::BTreeSet;

use cluster::metrics::{Snapshot, Totals, exposition};
use cluster::primary::Stats;
use cluster::supervisor::{SlotId, WorkerId};

/// Twice the limit of one process: beyond the limit each name still has one series for all others.
const MOST_SERIES: usize = 4000;

/// A snapshot stays within limits through reports and retirements, and the shown page can be read.
pub fn snapshot(bytes: &[u8]) {
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(bytes) else { return };
    let mut totals = Totals::default();
    for id in 0..3 {
        totals.report(WorkerId(id), SlotId(0), &snapshot);
        let kept = totals.worker(WorkerId(id)).expect("it has reported");
        assert!(kept.series() <= MOST_SERIES, "{} series are kept", kept.series());
        if id == 1 {
            totals.retire(WorkerId(id));
        }
    }
    assert!(totals.total().series() <= MOST_SERIES);
    readable(&exposition(&Stats::default(), &totals));
}

/// Every line is whole, no series appears twice, and every histogram has all its ranges.
fn readable(shown: &str) {
    let lines = shown.strip_suffix("# EOF\n").expect("it ends");
    let mut seen = BTreeSet::new();
    let mut histograms = (0, 0);
    for line in lines.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = line.rsplit_once(' ').expect("a series and its value");
        value.parse::<f64>().expect("a number");
        assert!(seen.insert(series), "duplicate series: {series}");
        histograms.0 += usize::from(series.contains("_bucket{le=\"+Inf\","));
        histograms.1 += usize::from(series.contains("_count{worker_id=\""));
    }
    let declared = lines.lines().any(|line| line.ends_with(" histogram"));
    assert!(!declared || histograms.0 == histograms.1, "ranges are missing:\n{lines}");
}
