//! All series of one name.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names and values, sorted by name.
pub(super) type Labels = Vec<(String, String)>;

/// Series by their labels.
type Series<T> = BTreeMap<Labels, T>;

/// The series of one name; they are all of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Family {
    Counter(#[serde(with = "pairs")] Series<u64>),
    Gauge(#[serde(with = "pairs")] Series<i64>),
    Histogram {
        bounds: Vec<f64>,
        #[serde(with = "pairs")]
        series: Series<Observed>,
    },
}

/// The values that a histogram has counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Observed {
    /// One count for each range, and at the end one for larger values.
    pub counts: Vec<u64>,
    pub sum: f64,
}

impl Family {
    /// The number of series in this family.
    pub fn len(&self) -> usize {
        match self {
            Self::Counter(series) => series.len(),
            Self::Gauge(series) => series.len(),
            Self::Histogram { series, .. } => series.len(),
        }
    }

    /// A family of the same kind, without series.
    pub fn emptied(&self) -> Self {
        match self {
            Self::Counter(_) => Self::Counter(Series::new()),
            Self::Gauge(_) => Self::Gauge(Series::new()),
            Self::Histogram { bounds, .. } => {
                Self::Histogram { bounds: bounds.clone(), series: Series::new() }
            }
        }
    }

    /// Adds the series of `other` to its own; new series are added only while there is room.
    ///
    /// Two families with the same name but different kinds cannot be added. In that case the lower
    /// kind stays whole and the other is dropped, so that the result does not depend on the order.
    pub fn merge(&mut self, other: &Self, room: &mut usize) {
        match self.rank(other) {
            Ordering::Less => return,
            Ordering::Greater => {
                *room += self.len();
                *self = other.emptied();
            }
            Ordering::Equal => {}
        }
        match (self, other) {
            (Self::Counter(mine), Self::Counter(theirs)) => {
                add(mine, theirs, room, |a, b| *a = a.saturating_add(*b));
            }
            (Self::Gauge(mine), Self::Gauge(theirs)) => {
                add(mine, theirs, room, |a, b| *a = a.wrapping_add(*b));
            }
            (Self::Histogram { series: mine, .. }, Self::Histogram { series: theirs, .. }) => {
                add(mine, theirs, room, Observed::add);
            }
            _ => unreachable!("they are of the same rank"),
        }
    }

    /// The order of kinds; histograms with different bounds count as different kinds.
    pub fn rank(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Histogram { bounds: a, .. }, Self::Histogram { bounds: b, .. }) => {
                let lengths = a.len().cmp(&b.len());
                let values = || a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
                lengths.then_with(|| values().find(|one| one.is_ne()).unwrap_or(Ordering::Equal))
            }
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Counter(_) => 0,
            Self::Gauge(_) => 1,
            Self::Histogram { .. } => 2,
        }
    }

    /// Drops the series that cannot be shown: the data from a worker is not trusted.
    pub fn keep_valid(&mut self) {
        match self {
            Self::Counter(series) => series.retain(|labels, _| are_labels(labels)),
            Self::Gauge(series) => series.retain(|labels, _| are_labels(labels)),
            Self::Histogram { bounds, series } => {
                let good = are_bounds(bounds);
                series.retain(|labels, observed| {
                    good && are_labels(labels)
                        && observed.counts.len() == bounds.len() + 1
                        && observed.sum.is_finite()
                });
            }
        }
    }
}

impl Observed {
    /// The sum, which is always finite: JSON has no infinity.
    pub fn add_sums(a: f64, b: f64) -> f64 {
        (a + b).clamp(f64::MIN, f64::MAX)
    }

    fn add(&mut self, other: &Self) {
        self.counts.resize(other.counts.len(), 0);
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
        }
        self.sum = Self::add_sums(self.sum, other.sum);
    }
}

fn add<T: Default>(mine: &mut Series<T>, theirs: &Series<T>, room: &mut usize, by: fn(&mut T, &T)) {
    for (labels, value) in theirs {
        let known = mine.contains_key(labels) || *labels == overflow();
        let labels = if known || *room > 0 { labels.clone() } else { overflow() };
        *room -= usize::from(!known && *room > 0);
        by(mine.entry(labels).or_default(), value);
    }
}

/// The labels of the series that stands for all series for which there was no room.
pub(super) fn overflow() -> Labels {
    vec![("overflow".into(), "true".into())]
}

/// Checks whether Prometheus allows metrics and labels with this name.
pub(super) fn is_name(name: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() <= 200
        && name.starts_with(|c| usable(c) && !c.is_ascii_digit())
        && name.chars().all(usable)
}

/// Checks that these can be labels of one series: at most 16, sorted, no duplicate names, none of
/// ours.
pub(super) fn are_labels(labels: &Labels) -> bool {
    let ours = |name: &str| matches!(name, "le" | "worker_id") || name.starts_with("__");
    let good =
        |(name, value): &(String, String)| is_name(name) && !ours(name) && value.len() <= 256;
    labels.len() <= 16 && labels.iter().all(good) && labels.is_sorted_by(|a, b| a.0 < b.0)
}

/// Checks that these can be bounds of ranges: at most 100, finite, in ascending order.
pub(super) fn are_bounds(bounds: &[f64]) -> bool {
    let finite = bounds.iter().all(|bound| bound.is_finite());
    finite && bounds.len() <= 100 && bounds.is_sorted_by(|a, b| a < b)
}

/// Labels cannot be the keys of a JSON object, so a map is sent as a list of pairs.
mod pairs {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Series};

    pub fn serialize<T: Serialize, S: Serializer>(
        map: &Series<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<Series<T>, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}
