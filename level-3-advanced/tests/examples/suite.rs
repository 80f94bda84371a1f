//! The examples of this level.

use lab::suite::Suite;

pub const SUITE: Suite = Suite {
    package: "level-3",
    folder: env!("CARGO_MANIFEST_DIR"),
    stands_on: &[
        concat!(env!("CARGO_MANIFEST_DIR"), "/../cluster/src"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../level-2-intermediate/src"),
    ],
    examples: &["cluster-vs-threads", "load-balancing"],
    at_once: "was killed by SIGKILL",
    variants: &[],
};
