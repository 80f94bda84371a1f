//! The counts that the primary keeps over its lifetime.

use std::collections::BTreeMap;

use super::trial::Shortage;
use crate::supervisor::SlotId;

/// The progress of the start, as a service manager sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Start {
    /// Start-up waits for all workers.
    #[default]
    WaitsForAll,
    /// One worker has failed, so any other one is enough.
    WaitsForAny,
    Complete,
}

/// Counts that only grow.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) spawned: u64,
    pub(super) crashes: u64,
    /// Requests answered by workers that are now gone.
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

    /// The number of workers that a slot has had before the present one, or before the next one.
    pub(super) fn before(&self, slot: SlotId) -> u64 {
        self.slots.get(&slot).copied().unwrap_or_default()
    }

    /// Processes that took the place of another one.
    pub(super) fn restarts(&self) -> u64 {
        self.slots.values().map(|spawned| spawned - 1).sum()
    }
}
