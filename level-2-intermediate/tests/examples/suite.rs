//! The examples of this level, for both of its test programs.

use lab::Service;
use lab::suite::Suite;

pub const SUITE: Suite = Suite {
    package: "level-2",
    folder: env!("CARGO_MANIFEST_DIR"),
    stands_on: &[concat!(env!("CARGO_MANIFEST_DIR"), "/../cluster/src")],
    examples: &[
        "graceful-shutdown",
        "ipc-broadcast",
        "restart-strategies",
        "zero-downtime-reload",
        "health-checks",
        "redis-counter",
    ],
    at_once: "was killed by SIGKILL",
    variants: &[],
};

/// Starts an example and waits until it is ready.
pub fn start(example: &str, args: &[&str]) -> Service {
    SUITE.start(example, args)
}
