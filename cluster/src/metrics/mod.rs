//! Counters of many processes, merged.

/// All counters of the cluster; those of retired workers are kept.
#[derive(Clone, Debug, Default)]
pub struct Totals {}

/// Counters of one process.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {}
