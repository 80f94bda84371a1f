//! The cost of the channel's frames, compared with the JSON in them.
//!
//! A frame is a length, a version, and a message as JSON. The bench measures a heartbeat, which an
//! idle cluster sends, and messages of a program in three sizes: encoding and decoding, against
//! `serde_json` alone on the same message. The cost of a message between two processes is
//! a row of `whole-cluster`.
//!
//! ```console
//! $ cargo bench -p benches --bench channel
//! ```

use std::env;
use std::hint::black_box;
use std::time::Instant;

use benches::median;
use bytes::BytesMut;
use cluster::channel::frame::{self, Frames};
use cluster::channel::message::ToPrimary;
use cluster::metrics::Metrics;
use cluster::supervisor::Vitals;
use criterion::{BenchmarkId, Criterion};
use serde_json::value::to_raw_value;

fn main() {
    let smoke = !env::args().any(|arg| arg == "--bench");
    let (rounds, times) = if smoke { (1, 1) } else { (51, 1000) };
    println!("{:<44}{:>9} {:>9}   ratio", "nanoseconds, beside serde_json alone:", "JSON", "frame");
    let messages = messages();
    for (name, message) in &messages {
        ratio(&format!("encode {name}"), rounds, times, &mut ways_to_encode(message));
        ratio(&format!("decode {name}"), rounds, times, &mut ways_to_decode(message));
    }
    println!();
    criterion(&messages, &mut Criterion::default().configure_from_args());
}

fn messages() -> Vec<(String, ToPrimary)> {
    let vitals = Vitals { requests: 123_456, connections: 78 };
    let heartbeat = ToPrimary::Heartbeat(vitals, Some(Box::new(Metrics::default().snapshot())));
    let sized = [64, 4096, 65_536].map(|size| {
        let body = to_raw_value(&"x".repeat(size)).expect("a string is JSON");
        (format!("a message of {size} bytes"), ToPrimary::Tell(body))
    });
    [("a heartbeat".to_owned(), heartbeat)].into_iter().chain(sized).collect()
}

/// A function that is called over and over.
type Way<'a> = Box<dyn FnMut() + 'a>;

/// As JSON alone, and as a frame.
fn ways_to_encode(message: &ToPrimary) -> [Way<'_>; 2] {
    let json = || drop(black_box(serde_json::to_vec(message).expect("it is JSON")));
    let framed = || drop(black_box(frame::encode(message).expect("it is small")));
    [Box::new(json), Box::new(framed)]
}

fn ways_to_decode(message: &ToPrimary) -> [Way<'_>; 2] {
    let json = serde_json::to_vec(message).expect("it is JSON");
    let bytes = frame::encode(message).expect("it is small");
    let (mut frames, mut buffer) = (Frames::default(), BytesMut::new());
    let in_frames = move || {
        buffer.extend_from_slice(&bytes); // as if it had been read
        let message: Option<ToPrimary> = frames.next(&mut buffer).expect("it is ours");
        assert!(black_box(message).is_some(), "it is whole");
    };
    let alone = move || {
        let message: ToPrimary = serde_json::from_slice(&json).expect("it was encoded here");
        drop(black_box(message));
    };
    [Box::new(alone), Box::new(in_frames)]
}

/// Prints medians over rounds that alternate between the two.
fn ratio(name: &str, rounds: u32, times: u32, ways: &mut [Way<'_>; 2]) {
    let mut took = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (way, took) in ways.iter_mut().zip(&mut took) {
            let start = Instant::now();
            (0..times).for_each(|_| way());
            took.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(times));
        }
    }
    let [json, framed] = took.map(median);
    println!("  {name:<42}{json:>9.0} {framed:>9.0} {:>7.2}", framed / json);
}

fn criterion(messages: &[(String, ToPrimary)], criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("channel");
    for (name, message) in messages {
        let all = [("encode", ways_to_encode(message)), ("decode", ways_to_decode(message))];
        for (verb, ways) in all {
            for (kind, mut way) in ["JSON alone", "frame"].into_iter().zip(ways) {
                let id = BenchmarkId::new(format!("{verb}, {kind}"), name);
                group.bench_function(id, |bencher| bencher.iter(&mut way));
            }
        }
    }
    group.finish();
}
