//! Benches of the workbook. Each prints ratios against something measured in the same run, because
//! a bare number of one machine means little on another one.
//!
//! ```console
//! $ cargo bench -p benches --bench worker-cost
//! $ benches/against-nginx/run
//! ```
//!
//! `cargo test -p benches --benches` runs every bench once, without measuring, so that none rots.
