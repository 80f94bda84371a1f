//! All workers in turn.

use super::{Connection, Place, Strategy, Workers};
use crate::supervisor::WorkerId;

/// Chooses the next worker in the order of slots, after the last one: O(log n).
///
/// The strategy remembers a place, not an index, so workers may come and go between two turns and no
/// other worker loses or gains a turn. A worker without room is skipped.
#[derive(Debug, Default)]
pub struct RoundRobin {
    last: Option<Place>,
}

impl Strategy for RoundRobin {
    fn choose(&mut self, _: &Connection, workers: &Workers) -> Option<WorkerId> {
        let next = workers.after(self.last).next()?;
        self.last = Some(next.place());
        Some(next.worker)
    }
}
