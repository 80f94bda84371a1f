//! Clients that never retry.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::servers::Server;

/// A time longer than any answer takes; a client that waits longer has lost its request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest pause of a keep-alive client: shorter than half of the lame duck's window.
const LONGEST_PAUSE: Duration = Duration::from_millis(900);

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const POST: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2048\r\n\r\n";

/// The behaviour of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Uses its connection for as long as possible, sometimes with pauses and sometimes without.
    KeepAlive,
    /// A new connection for each request.
    Fresh,
    /// A new connection for each request, which has a body of 2 KiB.
    Post,
}

impl Habit {
    pub const ALL: [Self; 3] = [Self::KeepAlive, Self::Fresh, Self::Post];

    /// A factor for the number of clients: those with pauses are mostly idle, so there are more of them.
    fn times(self) -> usize {
        if self == Self::KeepAlive { 4 } else { 1 }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive, with pauses of up to 900 ms",
            Self::Fresh => "a fresh connection for each request",
            Self::Post => "a fresh connection for each POST of 2 KiB",
        }
    }
}

/// The counts of the clients of one habit.
#[derive(Debug)]
pub struct Counts {
    pub habit: Habit,
    answered: AtomicU64,
    lost: Mutex<BTreeMap<String, u64>>,
    stopped: AtomicBool,
    running: AtomicUsize,
}

impl Counts {
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    pub fn lost(&self) -> u64 {
        self.reasons().values().sum()
    }

    pub fn reasons(&self) -> BTreeMap<String, u64> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn lose(&self, error: &io::Error) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost.entry(error.to_string()).or_default() += 1;
    }
}

/// Starts clients in tasks of the current runtime.
pub fn start(habit: Habit, clients: usize, server: &Server) -> Arc<Counts> {
    let clients = clients * habit.times();
    let counts = Arc::new(Counts {
        habit,
        answered: AtomicU64::default(),
        lost: Mutex::default(),
        stopped: AtomicBool::default(),
        running: AtomicUsize::new(clients),
    });
    for number in 0..clients {
        let (counts, address) = (Arc::clone(&counts), server.address);
        tokio::spawn(async move {
            let mut dice = u64::try_from(number).unwrap_or_default() * 0x9e37_79b9 + 88_172_645;
            while !counts.stopped.load(Ordering::Relaxed) {
                let lived = timeout(PATIENCE, connection(&counts, address, &mut dice)).await;
                let late = || Err(io::Error::new(ErrorKind::TimedOut, "no answer in 30 s"));
                if let Err(error) = lived.unwrap_or_else(|_| late()) {
                    counts.lose(&error);
                    sleep(Duration::from_millis(5)).await; // no storm while no server listens
                }
            }
            counts.running.fetch_sub(1, Ordering::Relaxed);
        });
    }
    counts
}

/// Waits until all clients have finished.
pub async fn ended(all: &[Arc<Counts>]) {
    while all.iter().any(|counts| counts.running.load(Ordering::Relaxed) > 0) {
        sleep(Duration::from_millis(5)).await;
    }
}

/// One connection: one request, or at most 256 of them.
async fn connection(counts: &Counts, address: SocketAddr, dice: &mut u64) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let body = [b'x'; 2048];
    let requests = if counts.habit == Habit::KeepAlive { 256 } else { 1 };
    for _ in 0..requests {
        match counts.habit {
            Habit::KeepAlive | Habit::Fresh => stream.write_all(GET).await?,
            Habit::Post => stream.write_all(&[POST, &body].concat()).await?,
        }
        let closes = answer(&mut stream).await?;
        counts.answered.fetch_add(1, Ordering::Relaxed);
        if closes || counts.stopped.load(Ordering::Relaxed) {
            break;
        }
        // One request in 32 is followed by a pause: the connection may be idle when a reload happens.
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        if counts.habit == Habit::KeepAlive && dice.is_multiple_of(32) {
            let part = u32::try_from((*dice >> 8) % 256).unwrap_or_default();
            sleep(LONGEST_PAUSE * part / 256).await;
        }
    }
    Ok(())
}

/// Reads one answer; returns whether the server closes the connection after it.
async fn answer(stream: &mut TcpStream) -> io::Result<bool> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
            if !head.starts_with("http/1.1 200") {
                return Err(io::Error::other(head.lines().next().unwrap_or_default().to_owned()));
            }
            let length = header("content-length: ").and_then(|it| it.parse::<usize>().ok());
            let length = length.ok_or_else(|| io::Error::other("an answer without a length"))?;
            if bytes.len() >= end + 4 + length {
                return Ok(header("connection: ") == Some("close"));
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "closed before the answer"));
        }
    }
}
