//! Input from outside causes no panic, and needs no more memory than the limits here allow.
//!
//! The properties are in `cluster/fuzz/src`, where `cargo fuzz` finds them too. More cases:
//! `PROPTEST_CASES=100000 cargo test -p cluster --test fuzzed`.

mod largest;
mod memory;
mod pieces;
#[path = "../../fuzz/src/lib.rs"]
mod properties;

use std::cell::Cell;
use std::panic;
use std::sync::Once;

use proptest::prelude::*;

const MIB: usize = 1 << 20;

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Runs a property, which fails if it panics, even in a task whose panic Tokio catches, or if it
/// needs more than `most` bytes at once.
fn within(most: usize, property: fn(&[u8]), bytes: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
    let before = PANICS.get();
    let peak = memory::peak(|| property(bytes));
    assert_eq!(PANICS.get(), before, "a task panicked");
    let shown = bytes[..bytes.len().min(64)].escape_ascii();
    assert!(peak <= most, "{} bytes needed {peak}, more than {most}: {shown}", bytes.len());
}

const MESSAGES: &[&str] = &[
    "Heartbeat",
    "Tell",
    "Relay",
    "Ask",
    "Answer",
    "Online",
    "Ready",
    "Hello",
    "Drain",
    "Ok",
    "Err",
    "window",
    "deadline",
    "secs",
    "nanos",
    "worker",
    "config",
    "counter",
    "gauge",
];
const METRICS: &[&str] =
    &["counter", "gauge", "histogram", "bounds", "series", "counts", "sum", "a"];
const SNAPSHOTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    "{\"a\":",
    "\"b\":",
    "{\"counter\":[",
    "{\"gauge\":[",
    "{\"histogram\":",
    "{\"bounds\":[",
    "1,2],\"series\":[",
    "],\"series\":[",
    "[[],1]",
    "[[[\"l\",\"\\n\"]],1]",
    "[[],{\"counts\":[",
    "1,2,3],\"sum\":1}]",
    "],\"sum\":0}]",
    "]}}",
    "]}",
];
const HEADS: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /a HTTP/1.0\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "host: a\r\n",
    "content-length: 3\r\n",
    "content-length: 99999999999999999999\r\n",
    "expect: 100-continue\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: upgrade\r\nupgrade: a\r\n",
    "\r\n",
    "\n",
    ": ",
    "ffffffffffffffff\r\n",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "\0\0\0\u{4}\0\0\0\0\0",
    "\0\0\u{4}\u{1}",
];
const LINES: &[&str] = &[
    "CLUSTER_WORKERS",
    "CLUSTER_LISTEN",
    "DRAIN_TIMEOUT",
    "HTTP_HEADER_SIZE",
    "=",
    "\n",
    "\"",
    "s",
    "workers",
    "listen",
    "drain_window",
    "[http]\n",
    "idle_time",
    " = ",
    "[",
    "]",
    ",",
    "{",
    "}",
    ".",
    "unix:/a",
    "systemd:",
    "KiB",
    "auto",
    "a=:80",
    "\"\"\"",
    "'",
    "0x",
    "1979-05-27",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_channel_of_anything(bytes: Vec<u8>) {
        within(MIB + MIB / 4, properties::frames, &bytes);
    }

    #[test]
    fn a_channel_of_json(text in pieces::json(MESSAGES)) {
        within(MIB, properties::frames, text.as_bytes());
    }

    #[test]
    fn packets(head in (0..3_u8, 0..6_u8, 0..18_u8), rest: Vec<u8>) {
        let bytes = [&[head.0, head.1, head.2], rest.as_slice()].concat();
        within(4096, properties::packets, &bytes);
    }

    #[test]
    fn snapshots_of_json(text in pieces::json(METRICS)) {
        within(MIB, properties::snapshot, text.as_bytes());
    }

    #[test]
    fn snapshots_of_pieces(bytes in pieces::of(SNAPSHOTS)) {
        within(MIB, properties::snapshot, &bytes);
    }

    #[test]
    fn heads_of_requests(bytes in pieces::of(HEADS)) {
        within(MIB / 4, properties::http_head, &bytes);
    }

    #[test]
    fn settings(bytes in pieces::of(LINES)) {
        within(MIB, properties::settings, &bytes);
    }
}
