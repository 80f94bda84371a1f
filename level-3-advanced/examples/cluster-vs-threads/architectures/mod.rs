//! The five architectures. Each file has only what differs.
//!
//! `plain` serves a process that nothing supervises; the others are workers of `cluster`.

pub mod both;
pub mod multi_thread;
pub mod one_thread;
mod plain;
pub mod prefork;
pub mod reuse_port;
mod workers;
