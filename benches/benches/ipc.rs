//! JSON or postcard for the messages between processes: the costs of encoding, decoding and sending.
//!
//! The library uses JSON, because people can read it. Postcard is a compact binary format: it has no
//! names, numbers of variable length, and bytes as they are. The messages are a status of three fields,
//! a table of a hundred rows, and 64 KiB as text and as bytes, which JSON can only write as a list of
//! numbers. First comes a table, over rounds that alternate between the two: bytes on the wire,
//! encoding, decoding, and the round trip to another process, which reads the message and sends it back.
//! The trip matters most: it includes two system calls and two process switches in any format.
//!
//! ```console
//! $ cargo bench -p benches --bench ipc
//! ```

use std::env;
use std::hint::black_box;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::Instant;

use benches::median;
use criterion::{BenchmarkId, Criterion};
use serde::{Deserialize, Serialize};

/// The variable with the name of the format, in the environment of the process that answers.
const ROLE: &str = "IPC_ANSWERS_IN";

#[derive(Serialize, Deserialize)]
enum Message {
    Status { served: u64, open: u32, healthy: bool },
    Table(Vec<Row>),
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: u64,
    name: String,
    price_cents: i64,
    tags: Vec<String>,
    load: f64,
}

/// A format: how a message becomes bytes, and back.
struct Format {
    name: &'static str,
    encode: fn(&Message) -> Vec<u8>,
    decode: fn(&[u8]) -> Message,
}

const FORMATS: [Format; 2] = [
    Format {
        name: "JSON",
        encode: |message| serde_json::to_vec(message).expect("it is JSON"),
        decode: |bytes| serde_json::from_slice(bytes).expect("it was encoded here"),
    },
    Format {
        name: "postcard",
        encode: |message| postcard::to_stdvec(message).expect("it has lengths"),
        decode: |bytes| postcard::from_bytes(bytes).expect("it was encoded here"),
    },
];

fn main() {
    if let Ok(name) = env::var(ROLE) {
        return answer(FORMATS.iter().find(|format| format.name == name).expect("a format"));
    }
    let smoke = !env::args().any(|arg| arg == "--bench");
    let rounds = if smoke { 1 } else { 31 };
    println!("{:<36}{:>10} {:>10}   ratio", "JSON beside postcard:", "JSON", "postcard");
    let messages = messages();
    for (name, message) in &messages {
        table(name, message, rounds, if smoke { 1 } else { 200 });
    }
    println!();
    criterion(&messages, &mut Criterion::default().configure_from_args());
}

fn messages() -> [(&'static str, Message); 4] {
    let row = |id: u64| Row {
        id,
        name: format!("product number {id}"),
        price_cents: i64::try_from(id * 199).expect("small") - 1000,
        tags: vec!["new".to_owned(), "blue".to_owned()],
        load: f64::from(u32::try_from(id).expect("small")) / 7.0,
    };
    let bytes: Vec<u8> = (0..=255).cycle().take(65_536).collect();
    [
        ("a status", Message::Status { served: 123_456, open: 78, healthy: true }),
        ("100 rows", Message::Table((0..100).map(row).collect())),
        ("64 KiB of text", Message::Text("All work and no play. ".repeat(2979))),
        ("64 KiB of bytes", Message::Bytes(bytes)),
    ]
}

fn table(name: &str, message: &Message, rounds: u32, times: u32) {
    let sizes = FORMATS.each_ref().map(|format| (format.encode)(message).len());
    // Casts: the numbers are far below the point where an f64 can no longer hold every integer.
    #[allow(clippy::cast_precision_loss)]
    row(&format!("{name}: bytes"), sizes.map(|size| size as f64));
    row(&format!("{name}: encode, ns"), compare(rounds, times, |format| encoding(format, message)));
    row(&format!("{name}: decode, ns"), compare(rounds, times, |format| decoding(format, message)));
    row(
        &format!("{name}: round trip, ns"),
        compare(rounds, times, |format| trips(format, message)),
    );
}

fn row(what: &str, [json, postcard]: [f64; 2]) {
    println!("  {what:<34}{json:>10.0} {postcard:>10.0} {:>7.1}", json / postcard);
}

/// A function that is called over and over.
type Way<'a> = Box<dyn FnMut() + 'a>;

fn encoding<'a>(format: &'static Format, message: &'a Message) -> Way<'a> {
    Box::new(|| drop(black_box((format.encode)(black_box(message)))))
}

fn decoding(format: &'static Format, message: &Message) -> Way<'static> {
    let bytes = (format.encode)(message);
    Box::new(move || drop(black_box((format.decode)(black_box(&bytes)))))
}

fn trips<'a>(format: &'static Format, message: &'a Message) -> Way<'a> {
    let mut peer = Peer::start(format);
    Box::new(move || {
        send(peer.socket(), &(format.encode)(message)).expect("it reads");
        let answer = receive(peer.socket()).expect("it is ours").expect("it answers");
        drop(black_box((format.decode)(&answer)));
    })
}

/// Nanoseconds for each format: medians over rounds that alternate between the two.
fn compare<'a>(
    rounds: u32,
    times: u32,
    mut way: impl FnMut(&'static Format) -> Way<'a>,
) -> [f64; 2] {
    let mut both = FORMATS.each_ref().map(|format| (way(format), Vec::new()));
    for _ in 0..rounds {
        for (way, took) in &mut both {
            let start = Instant::now();
            (0..times).for_each(|_| way());
            took.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(times));
        }
    }
    both.map(|(_, took)| median(took))
}

/// A process that answers, at the other end of a socket pair.
struct Peer {
    process: Child,
    socket: Option<BufReader<UnixStream>>,
}

impl Peer {
    fn start(format: &Format) -> Self {
        let (mine, theirs) = UnixStream::pair().expect("two descriptors");
        let mut command = Command::new(env::current_exe().expect("a program knows its path"));
        command.env(ROLE, format.name).stdin(OwnedFd::from(theirs));
        let process = command.spawn().expect("it starts");
        Self { process, socket: Some(BufReader::new(mine)) }
    }

    fn socket(&mut self) -> &mut BufReader<UnixStream> {
        self.socket.as_mut().expect("it is taken only at the end")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.socket = None; // the process ends when we hang up
        let _ = self.process.wait();
    }
}

/// The other process: reads each message from the socket that is its input, and sends it back.
fn answer(format: &Format) {
    let socket = io::stdin().as_fd().try_clone_to_owned().expect("one more descriptor");
    let mut socket = BufReader::new(UnixStream::from(socket));
    // A bench that is killed half-way through an answer resets the connection, which also ends it.
    while let Ok(Some(frame)) = receive(&mut socket) {
        let message = (format.decode)(&frame);
        if send(&mut socket, &(format.encode)(&message)).is_err() {
            return;
        }
    }
}

/// Sends a frame, as in the library: a length, then the message. One write is one system call.
fn send(socket: &mut BufReader<UnixStream>, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).expect("far below 4 GiB");
    socket.get_mut().write_all(&[&length.to_be_bytes(), message].concat())
}

/// The next frame, or `None` after the other side has hung up.
fn receive(socket: &mut BufReader<UnixStream>) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match socket.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut message =
        vec![0; usize::try_from(u32::from_be_bytes(length)).expect("32 bits or more")];
    socket.read_exact(&mut message)?;
    Ok(Some(message))
}

fn criterion(messages: &[(&str, Message)], criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ipc");
    for (name, message) in messages {
        for format in &FORMATS {
            let all = [
                ("encode", encoding(format, message)),
                ("decode", decoding(format, message)),
                ("round trip", trips(format, message)),
            ];
            for (verb, mut way) in all {
                let id = BenchmarkId::new(format!("{verb}, {}", format.name), name);
                group.bench_function(id, |bencher| bencher.iter(&mut way));
            }
        }
    }
    group.finish();
}
