//! Scenarios 38 and 39: clients that send nothing, or nothing more.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{Start, silent_h2};
use crate::life::pid_of;

pub const SCENARIOS: &[Scenario] = &[
    ("s38_a_silent_http2_client_does_not_delay_a_stop", &[1, 3], silent),
    ("s39_a_client_that_half_closes_is_answered", &[1, 3], half_closes),
];

/// The beginning of the preface; the preface; the preface and the client's settings. No client
/// answers a PING.
const SILENT_AFTER: [usize; 3] = [10, 24, 33];

fn silent(workers: usize) {
    for bytes in SILENT_AFTER {
        let mut service = Start::workers(workers).env("GRACEFUL_SHUTDOWN_TIMEOUT", "60s").ready();
        let _client = silent_h2(&service.address, bytes);
        let asked = Instant::now();
        service.signal(Signal::SIGTERM);
        assert!(service.wait().success());
        // It takes about 2 s: one second for the answer to GOAWAY, and one for the client's FIN.
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(10), "{bytes} bytes of HTTP/2: {took:?}");
    }
}

/// The number of clients that send requests at the same time.
const CLIENTS: usize = 40;
const SLOW: &str = "/slow?ms=100";

/// Clients half-close, as `printf … | nc -N` does. Half of the requests are answered at once, half
/// after the FIN.
fn half_closes(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
        let ask = |number: usize| {
            let mut client = service.connect();
            client.send(if number.is_multiple_of(2) { "/" } else { SLOW }).expect("it is sent");
            client.half_close().expect("it is connected");
            client
        };
        let mut clients: Vec<_> = (0..CLIENTS).map(ask).collect();
        let answered = clients.iter_mut().filter_map(|client| client.receive().ok());
        let good = answered.filter(|reply| reply.status == 200 && pid_of(reply) > 0).count();
        assert_eq!(good, CLIENTS, "{sharing}");
        for client in &mut clients {
            client.end().expect("it is closed in order");
        }
        service.stop();
    }
}
