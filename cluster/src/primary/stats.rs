//! The state of the cluster, under the field names that its users know. Times are in milliseconds.

use serde::{Deserialize, Serialize};

/// The answer to GET `/stats`.
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
    /// Requests answered by all workers, including retired ones.
    pub total_requests: u64,
    /// Workers started in a slot that had already had one: after a crash, at a limit, during a
    /// reload, and when scaling reuses a slot.
    pub total_restarts: u64,
    /// Exits that were not announced.
    pub total_crashes: u64,
    /// Processes started.
    pub workers_spawned: u64,
    /// The version that the most recent reload brought.
    pub generation: u64,
    /// True while a reload is under way.
    pub reloading: bool,
    /// The reason why the last reload failed, if it did.
    pub last_reload_error: Option<String>,
    /// Events that were lost because their reader was too slow.
    pub events_lost: u64,
}

/// Numbers of workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStats {
    /// Workers that are wanted.
    pub num_workers: usize,
    /// Workers that are starting or ready.
    pub active_workers: usize,
    /// The minimum: scaling goes no lower.
    pub min_workers: usize,
    /// The maximum: scaling goes no higher.
    pub max_workers: usize,
    /// Workers that are ready and report in time.
    pub healthy_workers: usize,
    /// Workers that were asked to leave and are not gone yet.
    pub draining_workers: usize,
    /// Slots whose workers have died early too many times in a row, if none has lived long enough
    /// since.
    pub errored_slots: usize,
}

/// One worker, or a slot without one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStats {
    /// The worker's id, which is never reused; 0 for a slot without a worker.
    pub id: u64,
    /// Its slot.
    pub slot: u32,
    /// Its version.
    pub generation: u64,
    /// Its process id; 0 without a worker.
    pub pid: u32,
    /// `starting`, `ready`, `draining`, `dying`, `backing-off` or `errored`.
    pub state: String,
    /// True if it is ready and reports in time.
    pub healthy: bool,
    /// Milliseconds since it was spawned.
    pub uptime: u64,
    /// The number of workers that this slot has had before.
    pub restarts: u64,
    /// Requests that it has answered.
    pub requests_handled: u64,
    /// Connections that are open.
    pub connections: u64,
    /// Resident memory, in MiB.
    #[serde(rename = "memoryMB")]
    pub memory_mb: u64,
    /// The time of its last report: RFC 3339, UTC.
    pub last_health_check: Option<String>,
}
