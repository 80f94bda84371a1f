//! The metrics that every worker has.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::{Method, StatusCode};

use crate::http::Observer;
use crate::metrics::{Counter, Gauge, Histogram, Metrics};

/// Upper bounds of the histogram of durations, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Methods that have a series of their own; all others are counted as `other`.
const KNOWN: [Method; 8] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::CONNECT,
];

/// Counts requests and connections.
pub(super) struct Observed {
    metrics: Metrics,
    connections: Gauge,
    duration: Histogram,
    requests: Mutex<HashMap<(&'static str, StatusCode), Counter>>,
}

impl Observed {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            connections: metrics.gauge("http_connections", &[]),
            duration: metrics.histogram("http_request_duration_seconds", &[], &BUCKETS),
            requests: Mutex::default(),
            metrics: metrics.clone(),
        }
    }
}

impl Observer for Observed {
    fn opened(&self) {
        self.connections.inc();
    }

    fn closed(&self) {
        self.connections.dec();
    }

    fn request(&self, method: &Method, status: StatusCode, elapsed: Duration) {
        self.duration.observe(elapsed.as_secs_f64());
        // A client that invents methods gets no series of its own.
        let known = KNOWN.iter().find(|known| *known == method);
        let name = known.map_or("other", |known| known.as_str());
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = [("method", name), ("status", status.as_str())];
        let counter = || self.metrics.counter("http_requests_total", &labels);
        requests.entry((name, status)).or_insert_with(counter).inc();
    }
}
