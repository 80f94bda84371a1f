//! All numbers, in the text format that Prometheus reads.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::family::{Family, Labels, Observed};
use super::snapshot::base;
use super::{HTTP_CONNECTIONS, HTTP_REQUEST_DURATION, HTTP_REQUESTS, Snapshot, Totals};
use crate::primary::Stats;
use crate::supervisor::SlotId;

/// The content type of [`exposition`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The answer to GET `/metrics`: `OpenMetrics` 1.0 text, which Prometheus reads too.
#[must_use]
pub fn exposition(stats: &Stats, totals: &Totals) -> String {
    let mut registry = Registry::default();
    let everything = Everything { stats: stats.clone(), slots: totals.slots() };
    registry.register_collector(Box::new(everything));
    let mut shown = String::new();
    text::encode(&mut shown, &registry).expect("writing to a String cannot fail");
    shown
}

/// Checks whether a name is taken by the primary's own numbers.
pub(super) fn is_ours(name: &str) -> bool {
    OWN.iter().any(|own| own.name == name)
}

/// One of the primary's own numbers.
struct Own {
    name: &'static str,
    meaning: &'static str,
    kind: MetricType,
    value: fn(&Stats) -> u64,
}

const OWN: [Own; 6] = [
    Own {
        name: "workers_active",
        meaning: "Workers that are starting or ready",
        kind: MetricType::Gauge,
        value: |stats| stats.cluster.active_workers as u64,
    },
    Own {
        name: "workers_desired",
        meaning: "Workers wanted",
        kind: MetricType::Gauge,
        value: |stats| stats.cluster.num_workers as u64,
    },
    Own {
        name: "slots_errored",
        meaning: "Slots whose workers keep dying early; they are tried at the maximum delay",
        kind: MetricType::Gauge,
        value: |stats| stats.cluster.errored_slots as u64,
    },
    Own {
        name: "worker_restarts",
        meaning: "Workers started to replace another",
        kind: MetricType::Counter,
        value: |stats| stats.primary.total_restarts,
    },
    Own {
        name: "worker_crashes",
        meaning: "Exits that were not announced",
        kind: MetricType::Counter,
        value: |stats| stats.primary.total_crashes,
    },
    Own {
        name: "cluster_generation",
        meaning: "The version that the last reload brought",
        kind: MetricType::Gauge,
        value: |stats| stats.primary.generation,
    },
];

#[derive(Debug)]
struct Everything {
    stats: Stats,
    slots: BTreeMap<SlotId, Snapshot>,
}

impl Collector for Everything {
    fn encode(&self, mut to: DescriptorEncoder) -> fmt::Result {
        for own in &OWN {
            let value = (own.value)(&self.stats);
            let mut metric = to.encode_descriptor(own.name, own.meaning, None, own.kind)?;
            match own.kind {
                MetricType::Counter => metric.encode_counter::<NoLabelSet, _, u64>(&value, None)?,
                _ => metric.encode_gauge(&value)?,
            }
        }
        for (name, parts) in self.by_name() {
            let kind = parts.iter().map(|(_, family)| *family).min_by(|a, b| a.rank(b));
            let Some(kind) = kind else { continue };
            let mut metric = to.encode_descriptor(name, meaning(name), None, metric_type(kind))?;
            // Two workers may use one name for different things. Only one of these can be shown.
            let same = parts.iter().filter(|(_, family)| family.rank(kind) == Ordering::Equal);
            same.into_iter().try_for_each(|(slot, family)| encode(family, *slot, &mut metric))?;
        }
        Ok(())
    }
}

impl Everything {
    /// The families by name: all lines of a metric, for all slots, must be contiguous.
    fn by_name(&self) -> BTreeMap<&str, Vec<(SlotId, &Family)>> {
        let mut names: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (slot, snapshot) in &self.slots {
            for (name, family) in snapshot.families() {
                names.entry(name).or_default().push((*slot, family));
            }
        }
        names
    }
}

fn encode(family: &Family, slot: SlotId, to: &mut MetricEncoder<'_>) -> fmt::Result {
    let slot = slot.to_string();
    let with_slot = |labels: &Labels| {
        let own = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        std::iter::once(("worker_id".to_owned(), slot.clone())).chain(own).collect::<Labels>()
    };
    match family {
        Family::Counter(series) => series.iter().try_for_each(|(labels, value)| {
            let labels = with_slot(labels);
            to.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(value, None)
        }),
        Family::Gauge(series) => series.iter().try_for_each(|(labels, value)| {
            to.encode_family(&with_slot(labels))?.encode_gauge(value)
        }),
        Family::Histogram { bounds, series } => series.iter().try_for_each(|(labels, seen)| {
            let labels = with_slot(labels);
            encode_histogram(bounds, seen, &mut to.encode_family(&labels)?)
        }),
    }
}

fn encode_histogram(bounds: &[f64], seen: &Observed, to: &mut MetricEncoder<'_>) -> fmt::Result {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    let mut total = 0;
    let mut ranges = Vec::new();
    for (bound, count) in bounds.zip(&seen.counts) {
        // The encoder adds up the ranges, and the counts of a hostile worker could overflow its
        // sum.
        let count = (*count).min(u64::MAX - total);
        total += count;
        ranges.push((bound, count));
    }
    to.encode_histogram::<NoLabelSet>(seen.sum, total, &ranges, None)
}

fn metric_type(family: &Family) -> MetricType {
    match family {
        Family::Counter(_) => MetricType::Counter,
        Family::Gauge(_) => MetricType::Gauge,
        Family::Histogram { .. } => MetricType::Histogram,
    }
}

fn meaning(name: &str) -> &'static str {
    match name {
        name if name == base(HTTP_REQUESTS) => "Requests answered",
        HTTP_CONNECTIONS => "Connections open",
        HTTP_REQUEST_DURATION => "From the end of a request's head to the end of its answer",
        _ => "Counted by the program",
    }
}
