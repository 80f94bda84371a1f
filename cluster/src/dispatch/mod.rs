//! dispatch

/// placeholder
pub trait Strategy: Send {}

/// placeholder
#[derive(Debug, Default)]
pub struct RoundRobin {}
impl Strategy for RoundRobin {}
