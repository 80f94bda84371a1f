//! The ports of the primary: who accepts, and who gets what was accepted.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use tracing::warn;

use crate::Result;
use crate::config::Config;
use crate::dispatch::Strategy;
use crate::listener::{Listeners, systemd};
use crate::supervisor::{SlotId, WorkerId};

/// All listening sockets.
pub(super) struct Ports {
    listeners: Listeners,
}

impl Ports {
    pub(super) fn open(config: &Config, _strategy: Box<dyn Strategy>) -> Result<Self> {
        let passed = systemd::Passed::from_env()?;
        let slots = config.policy.workers;
        let listeners = Listeners::bind(&config.listen, config.sharing, slots, passed)?;
        Ok(Self { listeners })
    }

    /// Where they listen, as a client writes it.
    pub(super) fn addresses(&self) -> Arc<[String]> {
        self.listeners.addresses().iter().map(ToString::to_string).collect()
    }

    pub(super) fn listeners(&mut self, slot: SlotId) -> Result<Vec<BorrowedFd<'_>>> {
        self.listeners.of_slot(slot)
    }

    pub(super) fn spawned(&mut self, _worker: WorkerId, _slot: SlotId, _to: OwnedFd) -> Result<()> {
        Ok(())
    }

    pub(super) fn ready(&mut self, _worker: WorkerId) {}

    pub(super) fn draining(&mut self, _worker: WorkerId) {}

    pub(super) fn gone(&mut self, _worker: WorkerId) {}

    pub(super) fn refuse(&self) {
        if let Err(error) = self.listeners.refuse() {
            warn!("cannot refuse new connections: {error}");
        }
    }

    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }

    pub(super) fn handle(&mut self, (): ()) {}
}
