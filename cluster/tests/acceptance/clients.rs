//! Scenarios 38 and 39: clients that send nothing, or nothing more.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Scenario;
use crate::lab::{PATIENCE, Start, silent_h2};

pub const SCENARIOS: &[Scenario] = &[
    ("s38_a_silent_http2_client_does_not_delay_a_stop", &[1, 3], silent),
    ("s39_a_client_that_half_closes_is_answered", &[1, 3], half_closes),
];

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

/// How many clients ask at the same time.
const CLIENTS: usize = 40;

/// As `printf … | nc -N` does. Half of the requests are answered at once, half after the FIN.
fn half_closes(workers: usize) {
    for sharing in ["inherited", "reuse-port", "hand-off"] {
        let service = Start::workers(workers).env("CLUSTER_SHARING", sharing).ready();
        let ask = |number: usize| {
            let path = if number.is_multiple_of(2) { "/" } else { "/slow?ms=100" };
            let mut client = TcpStream::connect(&service.address).expect("it listens");
            client.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
            client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).expect("it reads");
            client.shutdown(Shutdown::Write).expect("it is connected");
            client
        };
        let clients: Vec<_> = (0..CLIENTS).map(ask).collect();
        for (number, mut client) in clients.into_iter().enumerate() {
            let mut answer = String::new();
            client.read_to_string(&mut answer).expect("closed in order");
            let good = answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("pid=");
            assert!(good, "{sharing}, client {number}: {answer:?}");
        }
        service.stop();
    }
}
