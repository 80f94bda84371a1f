//! The driver of the cluster: it turns the world into inputs of the supervisor, and the
//! supervisor's actions into system calls.

mod command;
mod stats;

pub use command::{Command, Reply};
pub use stats::{ClusterStats, PrimaryStats, Stats, WorkerStats};
