//! Counters of many processes, merged.

/// All counters of the cluster; those of retired workers are kept.
#[derive(Clone, Debug, Default)]
pub struct Totals {}
