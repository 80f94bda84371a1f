//! Scenarios 38 and 39: clients that send nothing, or nothing more.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{Start, silent_h2};

pub const SCENARIOS: &[Scenario] =
    &[("s38_a_silent_http2_client_does_not_delay_a_stop", &[1, 3], silent)];

/// The beginning of the preface, the preface, the preface and the client's settings. No client
/// answers a PING.
const SILENT_AFTER: [usize; 3] = [10, 24, 33];

fn silent(workers: usize) {
    for bytes in SILENT_AFTER {
        let mut service = Start::workers(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "60s").ready();
        let _client = silent_h2(&service.address, bytes);
        let asked = Instant::now();
        service.signal(Signal::SIGTERM);
        assert!(service.wait().success());
        // It takes about 2 s: one for the answer to GOAWAY, one for the client's FIN.
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(10), "{bytes} bytes of HTTP/2: {took:?}");
    }
}
