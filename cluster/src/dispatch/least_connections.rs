//! The worker with the fewest connections.

use super::{Candidate, Connection, Place, Strategy, Workers};
use crate::supervisor::WorkerId;

/// Chooses the worker with the fewest connections, open or on their way: O(n).
///
/// Equal workers are chosen in turn; if the first always won, it would get every client of a quiet
/// server.
#[derive(Debug, Default)]
pub struct LeastConnections {
    last: Option<Place>,
}

impl Strategy for LeastConnections {
    fn choose(&mut self, _: &Connection, workers: &Workers) -> Option<WorkerId> {
        // `min_by_key` takes the first of equals, and `after` starts after the last winner.
        let least = workers.after(self.last).min_by_key(|it| Candidate::load(it))?;
        self.last = Some(least.place());
        Some(least.worker)
    }
}
