//! The exercises of level 1, in this order.

#[cfg(feature = "spawn")]
pub mod spawn;

#[cfg(feature = "reap")]
pub mod reap;

#[cfg(feature = "listen")]
pub mod listen;

#[cfg(feature = "frame")]
pub mod frame;

#[cfg(feature = "supervise")]
pub mod supervise;
