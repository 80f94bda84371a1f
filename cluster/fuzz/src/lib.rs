//! Properties that hold for any bytes from outside. Each function panics if its property does not.
//!
//! `cargo fuzz` runs them for as long as you like, and `cluster/tests/fuzzed` includes this file
//! and runs them briefly with all other tests, so they cannot become stale.

mod frames;
mod http_head;
mod packets;
mod settings;
mod snapshot;

pub use frames::frames;
pub use http_head::http_head;
pub use packets::packets;
pub use settings::settings;
pub use snapshot::snapshot;
