//! Which versions of the program are still in use. The driver holds an open file for each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Generation;

/// How many users each version has: slots, workers, a reload, and what to fall back to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Programs(BTreeMap<Generation, usize>);

impl Programs {
    /// One more user.
    pub(super) fn hold(&mut self, generation: Generation) {
        *self.0.entry(generation).or_insert(0) += 1;
    }

    /// One user less. True when it was the last one.
    pub(super) fn release(&mut self, generation: Generation) -> bool {
        let users = self.0.get_mut(&generation).expect("whoever releases has held it");
        *users -= 1;
        let last = *users == 0;
        if last {
            self.0.remove(&generation);
        }
        last
    }
}
