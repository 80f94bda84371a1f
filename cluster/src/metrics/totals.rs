//! The primary's side: the numbers that all workers have counted, including retired ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{MOST_SERIES, Snapshot};
use crate::supervisor::{SlotId, WorkerId};

/// All counters of the cluster; those of retired workers are kept. A clone is cheap: it shares the
/// snapshots.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// The last report of each worker that has not retired.
    workers: BTreeMap<WorkerId, (SlotId, Arc<Snapshot>)>,
    /// For each slot, the numbers that its former workers had counted, series by series.
    retired: BTreeMap<SlotId, Arc<Snapshot>>,
}

impl Totals {
    /// Replaces a worker's previous report with its newest one.
    pub fn report(&mut self, worker: WorkerId, slot: SlotId, snapshot: &Snapshot) {
        let mut kept = Snapshot::default();
        kept.merge_within(MOST_SERIES, snapshot);
        self.workers.insert(worker, (slot, Arc::new(kept)));
    }

    /// Records that a worker is gone. The numbers that it counted stay with its slot; its gauges
    /// are dropped.
    pub fn retire(&mut self, worker: WorkerId) {
        if let Some((slot, last)) = self.workers.remove(&worker) {
            let kept = Arc::make_mut(self.retired.entry(slot).or_default());
            kept.merge_within(MOST_SERIES, &last.without_gauges());
        }
    }

    /// A worker's last report.
    #[must_use]
    pub fn worker(&self, worker: WorkerId) -> Option<&Snapshot> {
        self.workers.get(&worker).map(|(_, snapshot)| &**snapshot)
    }

    /// All numbers, as if one process had counted them.
    #[must_use]
    pub fn total(&self) -> Snapshot {
        let mut total = Snapshot::default();
        self.parts().for_each(|(_, part)| total.merge(part));
        total
    }

    /// For each slot the sum of its workers, including former ones. While a worker is being
    /// replaced, its slot has two.
    pub(super) fn slots(&self) -> BTreeMap<SlotId, Snapshot> {
        let mut slots: BTreeMap<SlotId, Snapshot> = BTreeMap::new();
        self.parts().for_each(|(slot, part)| slots.entry(slot).or_default().merge(part));
        slots
    }

    fn parts(&self) -> impl Iterator<Item = (SlotId, &Snapshot)> {
        let retired = self.retired.iter().map(|(slot, snapshot)| (*slot, &**snapshot));
        retired.chain(self.workers.values().map(|(slot, snapshot)| (*slot, &**snapshot)))
    }
}
