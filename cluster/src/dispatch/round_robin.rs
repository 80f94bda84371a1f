//! Everybody in turn.

use super::{Connection, Place, Strategy, Workers};
use crate::supervisor::WorkerId;

/// The next worker in the order of slots, after the one that was last: O(log n).
///
/// What is remembered is a place, not an index, so workers may come and go between two turns
/// without anybody losing or gaining one. A worker without room is passed over.
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
