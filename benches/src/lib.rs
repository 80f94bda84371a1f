//! Benches of the workbook. Each prints ratios against something measured in the same run, because
//! a bare number from one machine means little on another one.
//!
//! ```console
//! $ cargo bench -p benches --bench worker-cost
//! $ benches/against-nginx/run
//! ```
//!
//! The benches of `cluster` follow. Whole processes are measured by a program that prints a table,
//! with a target in each row; its `--help` shows how to measure only a part:
//!
//! ```console
//! $ cargo bench -p benches --bench supervisor-step
//! $ cargo bench -p benches --bench channel
//! $ cargo bench -p benches --bench ipc
//! $ REDIS_SERVER_BIN=$(tools/redis-server) cargo bench -p benches --bench sharing
//! $ cargo run --release -p benches --bin whole-cluster
//! $ cargo run --release -p benches --bin reload-loss
//! ```
//!
//! Throughput over the number of workers, against threads: a bench, and whole runs under `load` with a
//! report. A table of your own is fitted with the Universal Scalability Law:
//!
//! ```console
//! $ cargo bench -p benches --bench scaling
//! $ cargo run --release -p benches --bin scaling
//! $ cargo run --release -p benches --bin scaling -- --points FILE
//! ```
//!
//! `cargo test -p benches --benches` runs every bench once, without measuring, to keep them all working.

pub mod rivals;

/// The middle one of `numbers`; NaN if there are none.
#[must_use]
pub fn median(numbers: Vec<f64>) -> f64 {
    quantile(numbers, 0.5)
}

/// The number that this part of `numbers` (0 to 1) does not exceed; NaN if there are none.
#[must_use]
pub fn quantile(mut numbers: Vec<f64>, part: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let count = numbers.len();
    // Casts: an index is small, and positive.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = (part * count.saturating_sub(1) as f64).round() as usize;
    numbers.get(index).copied().unwrap_or(f64::NAN)
}
