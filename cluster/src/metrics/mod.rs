//! Counters of many processes, merged.
//!
//! A worker counts in its own memory ([`Metrics`]), without a lock and without a message. Its
//! reports contain a [`Snapshot`]. The primary keeps the latest one of each worker and the counts
//! of retired workers ([`Totals`]), and shows all of them to Prometheus ([`exposition`]).
//!
//! Each series is shown with the label `worker_id`, whose value is the worker's *slot*. Labelling
//! by an id that is never reused would add new series on every restart, forever. Slots persist: the
//! next worker in a slot picks up counting where the last one left off, so no counter runs
//! backwards.

mod cells;
mod exposition;
mod family;
mod registry;
mod snapshot;
#[cfg(test)]
mod tests;
mod totals;

pub use cells::{Counter, Gauge, Histogram};
pub use exposition::{CONTENT_TYPE, exposition};
pub use registry::Metrics;
pub use snapshot::Snapshot;
pub use totals::Totals;

/// Requests answered, by `method` and `status`.
pub const HTTP_REQUESTS: &str = "http_requests_total";
/// Connections that are currently open.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// The time from the end of a request's head to the end of its answer, in seconds.
pub const HTTP_REQUEST_DURATION: &str = "http_request_duration_seconds";
/// Buckets that suit the durations of requests, in seconds.
pub const DURATION_BUCKETS: [f64; 11] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The maximum number of series for one process, and for one slot in the primary. Series beyond the
/// limit are counted in a single series of their name, with the label `overflow="true"`: a label
/// that takes its value from a client must not be able to fill the memory.
const MOST_SERIES: usize = 2000;
