//! The lesson, played by clients: some that request something heavy, and one that is in a hurry.

use std::thread;
use std::time::{Duration, Instant};

use lab::Result;
use lab::{Service, Table, ms};

use super::fibonacci;

/// The approximate time that `/intensive` should take if it has a core to itself.
const HEAVY: Duration = Duration::from_millis(400);

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let work = enough_work().to_string();
    let start = |arrangement| Service::start(&["--arrangement", arrangement, "--work", &work]);

    let one = measure(&start("one-thread")?, 1)?;
    table.claim("one thread: /quick waits", one.tell(), one.waited());

    let tokio = measure(&start("tokio-threads")?, 1)?;
    table.note("Tokio's threads: it depends, run it again", tokio.tell());

    let pool = measure(&start("spawn-blocking")?, 1)?;
    table.claim("spawn_blocking: /quick does not wait", pool.tell(), !pool.waited());

    let mut cluster = start("processes")?;
    let n = cluster.workers()?.len();
    let processes = measure(&cluster, 1)?;
    let claim = format!("{n} processes, 1 heavy request: does not wait");
    table.claim(claim, processes.tell(), !processes.waited());

    let full = measure(&start("processes")?, n)?;
    table.claim(format!("{n} processes, {n} heavy requests: waits"), full.tell(), full.waited());
    table.finish()
}

/// The times of the requests; the quick ones were sent while the heavy ones were running.
struct Took {
    quick: Duration,
    heavy: Duration,
}

impl Took {
    /// On a thread that computes, /quick takes as long as the rest of the computation; elsewhere it
    /// takes next to nothing. Half-way between is far from both.
    fn waited(&self) -> bool {
        self.quick > self.heavy / 2
    }

    fn tell(&self) -> String {
        format!("/quick {}, /intensive {}", ms(self.quick), ms(self.heavy))
    }
}

/// Starts `n` heavy requests, and when all of them are being computed, requests `/quick` on fresh
/// connections, five times one after the other; the slowest counts.
fn measure(service: &Service, n: usize) -> Result<Took> {
    thread::scope(|scope| {
        let mut heavy = Vec::new();
        for i in 0..n {
            heavy.push(scope.spawn(|| ask_for_something_heavy(service)));
            service.prints_times("computing", i + 1)?;
        }
        let mut quick = Duration::ZERO;
        for _ in 0..5 {
            let start = Instant::now();
            service.get("/quick")?;
            quick = quick.max(start.elapsed());
        }
        let heavy = heavy.into_iter().map(|client| client.join().expect("a client does not panic"));
        let heavy = heavy.collect::<Result<Vec<_>>>()?;
        Ok(Took { quick, heavy: heavy.into_iter().min().unwrap_or_default() })
    })
}

/// Requests `/intensive` as a browser would: on a connection that has been used before.
fn ask_for_something_heavy(service: &Service) -> Result<Duration> {
    let mut client = service.connect()?;
    client.get("/quick")?;
    let start = Instant::now();
    client.get("/intensive")?;
    Ok(start.elapsed())
}

/// The Fibonacci number that keeps this machine, and this build, busy for about [`HEAVY`]. Each one
/// costs 1.618 times the one before.
fn enough_work() -> u32 {
    let mut n = 25;
    let mut took = Duration::ZERO;
    while took < HEAVY / 10 && n < super::MOST {
        n += 1;
        let start = Instant::now();
        fibonacci(n);
        took = start.elapsed();
    }
    (n + 5).min(super::MOST)
}
