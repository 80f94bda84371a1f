//! The state of the cluster, for `/stats`.

use std::process;
use std::time::{Duration, SystemTime};

use super::driver::Driver;
use super::memory::resident;
use super::{ClusterStats, PrimaryStats, Stats, WorkerStats};
use crate::supervisor::{SlotId, SlotState, SlotView, WorkerState, WorkerView};

impl Driver {
    pub(super) fn stats(&self) -> Stats {
        let workers = self.supervisor.workers(self.now()).map(|worker| self.worker(&worker));
        let vacant = self
            .supervisor
            .slots()
            .filter(|slot| !matches!(slot.state, SlotState::Worker(_) | SlotState::Empty));
        Stats {
            primary: self.primary(),
            cluster: self.cluster(),
            workers: workers.chain(vacant.map(|slot| self.vacancy(&slot))).collect(),
        }
    }

    fn primary(&self) -> PrimaryStats {
        PrimaryStats {
            pid: process::id(),
            uptime: millis(self.started.elapsed()),
            total_requests: self.tally.retired_requests
                + self.peers.values().map(|peer| peer.vitals.requests).sum::<u64>(),
            total_restarts: self.tally.restarts(),
            total_crashes: self.tally.crashes,
            workers_spawned: self.tally.spawned,
            generation: self.supervisor.generation().0,
            reloading: self.supervisor.reloading().is_some(),
            last_reload_error: self.tally.last_reload_error.clone(),
            events_lost: self.events.lost,
        }
    }

    fn cluster(&self) -> ClusterStats {
        let (ready, starting) = (self.supervisor.ready(), self.supervisor.starting());
        ClusterStats {
            num_workers: self.supervisor.desired(),
            active_workers: ready + starting,
            min_workers: self.config.policy.min_workers,
            max_workers: self.config.policy.max_workers,
            healthy_workers: ready,
            draining_workers: self.supervisor.draining(),
            errored_slots: self.supervisor.slots().filter(|slot| slot.errored).count(),
        }
    }

    fn worker(&self, view: &WorkerView) -> WorkerStats {
        let state = match view.state {
            WorkerState::Starting => "starting",
            WorkerState::Ready => "ready",
            WorkerState::Draining { .. } => "draining",
            WorkerState::Dying => "dying",
        };
        let mut worker = WorkerStats {
            id: view.id.0,
            slot: view.slot.0,
            generation: view.generation.0,
            state: state.to_owned(),
            healthy: view.healthy,
            ..WorkerStats::default()
        };
        if let Some(peer) = self.peers.get(&view.id) {
            worker.restarts = peer.restarts;
            worker.pid = peer.pid.as_raw().unsigned_abs();
            worker.uptime = millis(peer.since.elapsed());
            worker.requests_handled = peer.vitals.requests;
            worker.connections = peer.vitals.connections;
            worker.memory_mb = resident(peer.pid).unwrap_or_default() >> 20;
            worker.last_health_check = peer.last_report.map(utc);
        }
        worker
    }

    fn vacancy(&self, slot: &SlotView) -> WorkerStats {
        let SlotId(number) = slot.id;
        WorkerStats {
            slot: number,
            generation: slot.generation.0,
            state: if slot.errored { "errored" } else { "backing-off" }.to_owned(),
            restarts: self.tally.before(slot.id).saturating_sub(1),
            ..WorkerStats::default()
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn utc(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
