//! The worker's side: the numbers that it counts.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::MOST_SERIES;
use super::cells::{Counter, Gauge, Histogram};
use super::exposition::is_ours;
use super::family::{Family, Labels, are_bounds, are_labels, is_name, overflow};
use super::snapshot::{Snapshot, base};

/// The numbers that this process counts. Clones share the same numbers.
///
/// Finding a series takes a lock; counting in it takes none. So look a series up once, and keep the
/// handle:
///
/// ```
/// let metrics = cluster::metrics::Metrics::default();
/// let hits = metrics.counter("cache_lookups_total", &[("result", "hit")]);
/// hits.inc();
/// ```
///
/// A process has at most 2,000 series; a series beyond the limit is counted in the series
/// `{overflow="true"}` of the same name, which does not count towards the limit. A name that
/// Prometheus does not allow, or one that is already in use for a different kind of number, is
/// logged, and the numbers of its handle are not shown.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<RwLock<Registry>>);

#[derive(Debug, Default)]
struct Registry {
    families: BTreeMap<String, Cells>,
    series: usize,
}

#[derive(Debug)]
enum Cells {
    Counter(BTreeMap<Labels, Counter>),
    Gauge(BTreeMap<Labels, Gauge>),
    Histogram(Vec<f64>, BTreeMap<Labels, Histogram>),
}

impl Metrics {
    /// A number that only grows. It is shown with `_total` at the end of its name.
    #[must_use]
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        let kind = || Cells::Counter(BTreeMap::new());
        self.find(base(name), labels, kind, Counter::default, |cells| match cells {
            Cells::Counter(series) => Some(series),
            _ => None,
        })
    }

    /// A number that goes up and down.
    #[must_use]
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        let kind = || Cells::Gauge(BTreeMap::new());
        self.find(name, labels, kind, Gauge::default, |cells| match cells {
            Cells::Gauge(series) => Some(series),
            _ => None,
        })
    }

    /// The number of values in each range. The buckets are at most 100 upper bounds, finite and in
    /// ascending order; all series of one name have the same buckets.
    #[must_use]
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Histogram {
        let cell = || Histogram::new(buckets);
        if !are_bounds(buckets) {
            tracing::warn!(name, "buckets must be finite and in ascending order, and at most 100");
            return cell();
        }
        let kind = || Cells::Histogram(buckets.into(), BTreeMap::new());
        self.find(name, labels, kind, cell, |cells| match cells {
            Cells::Histogram(bounds, series) if bounds == buckets => Some(series),
            _ => None,
        })
    }

    /// The numbers counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let registry = self.0.read().unwrap_or_else(PoisonError::into_inner);
        registry.families.iter().map(|(name, cells)| (name.clone(), cells.read())).collect()
    }

    /// The handle of a series; if such a series is not allowed, a handle whose numbers are not
    /// shown.
    fn find<T: Clone>(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        kind: impl FnOnce() -> Cells,
        cell: impl Fn() -> T,
        series: impl FnOnce(&mut Cells) -> Option<&mut BTreeMap<Labels, T>>,
    ) -> T {
        // A panic elsewhere leaves the map as it was: nothing here stops half-way.
        let mut registry = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let found = registry.find(name, sorted(labels), kind, &cell, series);
        found.unwrap_or_else(|reason| {
            tracing::warn!(name, ?labels, "this metric is not shown: {reason}");
            cell()
        })
    }
}

impl Registry {
    fn find<T: Clone>(
        &mut self,
        name: &str,
        labels: Labels,
        kind: impl FnOnce() -> Cells,
        cell: impl Fn() -> T,
        series: impl FnOnce(&mut Cells) -> Option<&mut BTreeMap<Labels, T>>,
    ) -> Result<T, &'static str> {
        let full = self.series >= MOST_SERIES;
        if !is_name(name) || is_ours(name) || !are_labels(&labels) {
            return Err("its name or its labels are not allowed");
        }
        if full && !self.families.contains_key(name) {
            return Err("there are too many already");
        }
        let cells = self.families.entry(name.into()).or_insert_with(kind);
        let series = series(cells).ok_or("its name is in use for a different kind")?;
        let known = series.contains_key(&labels);
        self.series += usize::from(!known && !full);
        let labels = if known || !full { labels } else { overflow() };
        Ok(series.entry(labels).or_insert_with(cell).clone())
    }
}

impl Cells {
    fn read(&self) -> Family {
        fn each<T, V>(series: &BTreeMap<Labels, T>, get: fn(&T) -> V) -> BTreeMap<Labels, V> {
            series.iter().map(|(labels, cell)| (labels.clone(), get(cell))).collect()
        }
        match self {
            Self::Counter(series) => Family::Counter(each(series, Counter::get)),
            Self::Gauge(series) => Family::Gauge(each(series, Gauge::get)),
            Self::Histogram(bounds, series) => {
                Family::Histogram { bounds: bounds.clone(), series: each(series, Histogram::get) }
            }
        }
    }
}

fn sorted(labels: &[(&str, &str)]) -> Labels {
    let mut labels: Labels = labels.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    labels.sort();
    labels
}
