//! What the primary counts over its life.

use std::collections::BTreeMap;

use super::trial::Shortage;
use crate::supervisor::SlotId;

/// How far the start has come, as a service manager counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Start {
    /// All workers are waited for.
    #[default]
    WaitsForAll,
    /// One has failed, so any other is enough.
    WaitsForAny,
    Complete,
}

/// Counts that only grow.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) spawned: u64,
    pub(super) crashes: u64,
    /// Requests that workers have answered which are gone by now.
    pub(super) retired_requests: u64,
    pub(super) last_reload_error: Option<String>,
    pub(super) serving: bool,
    pub(super) start: Start,
    pub(super) shortage: Shortage,
    /// Connections are refused, because no worker is ready.
    pub(super) suspended: bool,
    slots: BTreeMap<SlotId, u64>,
}

impl Tally {
    /// A process was started in a slot.
    pub(super) fn spawned(&mut self, slot: SlotId) {
        self.spawned += 1;
        *self.slots.entry(slot).or_default() += 1;
    }

    /// How many workers a slot has had before the present one, or before the one to come.
    pub(super) fn before(&self, slot: SlotId) -> u64 {
        self.slots.get(&slot).copied().unwrap_or_default()
    }

    /// Processes that took the place of another one.
    pub(super) fn restarts(&self) -> u64 {
        self.slots.values().map(|spawned| spawned - 1).sum()
    }
}
