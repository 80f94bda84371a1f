//! Probation: a slot that keeps the new version after a failed reload.
//!
//! The reload has failed in another slot, so the version may be broken in this one, too. Until the
//! slot's worker has lived for the minimum up-time, the slot also holds the version before it.

use super::restart::End;
use super::{Generation, SlotId, Supervisor};

impl Supervisor {
    /// The reload has failed, and this slot runs the new version.
    pub(super) fn begin_probation(&mut self, slot: SlotId, proven: Generation) {
        self.slot_mut(slot).fallback = Some(proven);
        self.watch_early_life(slot);
    }

    /// The worker of this slot was lost. Returns whether it was on probation and died early; if so,
    /// the slot has gone back to the version before it.
    pub(super) fn fails_probation(&mut self, slot: SlotId, end: End) -> bool {
        let Some(proven) = self.slot_mut(slot).fallback.take() else { return false };
        if end == End::Late {
            self.release(proven);
            return false;
        }
        let broken = std::mem::replace(&mut self.slot_mut(slot).generation, proven);
        self.release(broken);
        true
    }

    /// The slot no longer needs the version before its present one.
    pub(super) fn end_probation(&mut self, slot: SlotId) {
        if let Some(proven) = self.slot_mut(slot).fallback.take() {
            self.release(proven);
        }
    }
}
