//! The versions of the program that are still in use. The driver holds an open file for each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Generation;

/// The number of users of each version: slots, workers, a reload, and its fallback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Programs(BTreeMap<Generation, usize>);

impl Programs {
    /// Adds a user.
    pub(super) fn hold(&mut self, generation: Generation) {
        *self.0.entry(generation).or_insert(0) += 1;
    }

    /// Removes a user. Returns true if it was the last one.
    pub(super) fn release(&mut self, generation: Generation) -> bool {
        let users = self.0.get_mut(&generation).expect("a version is released only after a hold");
        *users -= 1;
        let last = *users == 0;
        if last {
            self.0.remove(&generation);
        }
        last
    }
}
