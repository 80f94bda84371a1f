//! The numbers that a process has counted, at one moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exposition::is_ours;
use super::family::{Family, is_name};

/// The numbers that a process has counted, at one moment. A snapshot received over a channel
/// contains only series that can be shown; any others from the sender are dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Family>", into = "BTreeMap<String, Family>")]
pub struct Snapshot {
    families: BTreeMap<String, Family>,
}

impl Snapshot {
    /// Adds another process's numbers: counters, histograms and gauges are summed.
    ///
    /// The order in which snapshots are merged makes no difference, apart from the rounding of a
    /// histogram's sum, which is a floating-point number.
    pub fn merge(&mut self, other: &Self) {
        self.merge_within(usize::MAX, other);
    }

    /// The sum of a counter's series, under the name by which it is shown.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        match self.families.get(base(name)) {
            Some(Family::Counter(series)) => series.values().fold(0, |a, b| a.saturating_add(*b)),
            _ => 0,
        }
    }

    /// The sum of a gauge's series.
    #[must_use]
    pub fn gauge(&self, name: &str) -> i64 {
        match self.families.get(name) {
            Some(Family::Gauge(series)) => series.values().fold(0, |a, b| a.wrapping_add(*b)),
            _ => 0,
        }
    }

    /// The number of series.
    #[must_use]
    pub fn series(&self) -> usize {
        self.families.values().map(Family::len).sum()
    }

    /// Merges `other`, but adds new series beyond the limit to those with the label `overflow`.
    pub(super) fn merge_within(&mut self, most: usize, other: &Self) {
        let mut room = most.saturating_sub(self.series());
        for (name, family) in &other.families {
            match self.families.get_mut(name) {
                Some(mine) => mine.merge(family, &mut room),
                None if room == 0 => {}
                None => {
                    let mut mine = family.emptied();
                    // It takes a place even if its only series is the one for overflow.
                    let left = room - 1;
                    mine.merge(family, &mut room);
                    room = room.min(left);
                    self.families.insert(name.clone(), mine);
                }
            }
        }
    }

    /// The numbers that remain after a process is gone: it no longer has connections.
    pub(super) fn without_gauges(&self) -> Self {
        let lasting = |(_, family): &(&String, &Family)| !matches!(family, Family::Gauge(_));
        self.families.iter().filter(lasting).map(|(n, f)| (n.clone(), f.clone())).collect()
    }

    pub(super) fn families(&self) -> impl Iterator<Item = (&str, &Family)> {
        self.families.iter().map(|(name, family)| (name.as_str(), family))
    }
}

/// A counter is stored under its name without `_total`, which is added again when it is shown.
pub(super) fn base(name: &str) -> &str {
    name.strip_suffix("_total").unwrap_or(name)
}

impl FromIterator<(String, Family)> for Snapshot {
    fn from_iter<I: IntoIterator<Item = (String, Family)>>(families: I) -> Self {
        Self { families: families.into_iter().collect() }
    }
}

impl From<BTreeMap<String, Family>> for Snapshot {
    fn from(mut families: BTreeMap<String, Family>) -> Self {
        families.retain(|name, family| {
            family.keep_valid();
            is_name(name) && !is_ours(name) && family.len() > 0
        });
        Self { families }
    }
}

impl From<Snapshot> for BTreeMap<String, Family> {
    fn from(snapshot: Snapshot) -> Self {
        snapshot.families
    }
}
