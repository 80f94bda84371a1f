//! How the cluster is, in the field names that its users know. Times are milliseconds.

use serde::{Deserialize, Serialize};

/// What GET `/stats` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The primary and what it has done.
    pub primary: PrimaryStats,
    /// Numbers of workers.
    pub cluster: ClusterStats,
    /// Each process that has not been reaped yet, and each slot that is errored or backing off.
    pub workers: Vec<WorkerStats>,
}

/// The primary and what it has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrimaryStats {
    /// Process id.
    pub pid: u32,
    /// Milliseconds since it started.
    pub uptime: u64,
    /// Requests answered by all workers, the retired included.
    pub total_requests: u64,
    /// Workers started in a slot that had had one before: after a crash, by a limit, by a reload, and
    /// when scaling comes back to a slot.
    pub total_restarts: u64,
    /// Exits that nobody had announced.
    pub total_crashes: u64,
    /// Processes started.
    pub workers_spawned: u64,
    /// The version that a reload brought last.
    pub generation: u64,
    /// Whether a reload is under way.
    pub reloading: bool,
    /// Why the last reload failed, if it did.
    pub last_reload_error: Option<String>,
    /// Events that were lost because their reader is slow.
    pub events_lost: u64,
}

/// Numbers of workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStats {
    /// Wanted.
    pub num_workers: usize,
    /// Starting or ready.
    pub active_workers: usize,
    /// Scaling goes no lower.
    pub min_workers: usize,
    /// Scaling goes no higher.
    pub max_workers: usize,
    /// Ready, and reporting in time.
    pub healthy_workers: usize,
    /// Told to leave, and not gone yet.
    pub draining_workers: usize,
    /// Slots whose workers have died early too often in a row, and none has lived long enough since.
    pub errored_slots: usize,
}

/// One worker, or a slot without one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStats {
    /// The worker's id, never used twice; 0 for a slot without a worker.
    pub id: u64,
    /// Its slot.
    pub slot: u32,
    /// Its version.
    pub generation: u64,
    /// Its process id; 0 without a worker.
    pub pid: u32,
    /// `starting`, `ready`, `draining`, `dying`, `backing-off` or `errored`.
    pub state: String,
    /// Ready, and reporting in time.
    pub healthy: bool,
    /// Milliseconds since it was spawned.
    pub uptime: u64,
    /// How many workers this slot has had before.
    pub restarts: u64,
    /// Requests answered.
    pub requests_handled: u64,
    /// Connections open.
    pub connections: u64,
    /// Resident memory, in MiB.
    #[serde(rename = "memoryMB")]
    pub memory_mb: u64,
    /// When it last reported: RFC 3339, UTC.
    pub last_health_check: Option<String>,
}
