//! The channel between the primary and each worker: typed messages, as JSON in bounded frames.

pub mod frame;
pub mod message;
