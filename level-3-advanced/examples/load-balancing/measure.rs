//! Times of all strategies, under even work and with one slow worker. A client's time counts from its
//! connection to the end of the answer; the processor time and the sleeps are those of the service, for
//! each connection.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lab::{Result, Service, proc, raw};
use level_3::fairness::jain;

/// Workers of every service here.
const WORKERS: usize = 4;

/// Clients at the same time, each with a fresh connection for every request.
const CLIENTS: usize = 16;

/// The time that each strategy is measured.
const TIME: Duration = Duration::from_secs(4);

/// Runs of one way differ by this many per cent on a quiet machine, so a smaller difference is none.
const SCATTER: usize = 5;

/// The ways to choose a worker: the name of the row, and the options of the service.
const WAYS: [(&str, &[&str]); 6] = [
    ("shared listener", &["--share", "shared-listener"]),
    ("reuse-port", &["--share", "reuse-port"]),
    ("round robin", &["--strategy", "round-robin"]),
    ("least connections", &["--strategy", "least-connections"]),
    ("two choices", &["--strategy", "two-choices"]),
    ("weighted", &["--strategy", "weighted"]),
];

struct Row {
    way: &'static str,
    shares: Vec<usize>,
    median: Duration,
    p90: Duration,
    p99: Duration,
    cpu: Duration,
    sleeps: f64,
}

pub fn play() -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("a debug build is not measured; run it with `cargo run --release`".into());
    }
    for (load, options) in [("even work", &[][..]), ("one worker is ten times slower", &["--slow"])]
    {
        println!(
            "\n{load}: {CLIENTS} clients, /work?ms=5, {WORKERS} workers, {} s each\n\
             (times in ms; CPU in µs, and sleeps, per connection)",
            TIME.as_secs()
        );
        println!(
            "{:<17} {:<24} {:>5} {:>5} {:>5} {:>5} {:>4} {:>6}",
            "", "connections per worker", "Jain", "p50", "p90", "p99", "CPU", "sleeps"
        );
        let mut rows = Vec::new();
        for (way, way_options) in WAYS {
            let row = measure(way, &[way_options, options].concat())?;
            print(&row);
            rows.push(row);
        }
        println!("{}", verdict(&rows));
    }
    Ok(())
}

/// The ways that answered the most requests. Each client sends its next request after its last answer,
/// so their number is the inverse of the mean time.
fn verdict(rows: &[Row]) -> String {
    let count = |row: &Row| row.shares.iter().sum::<usize>();
    let most = rows.iter().map(count).max().unwrap_or(0);
    let close = |row: &&Row| count(row) * 100 >= most * (100 - SCATTER);
    let best: Vec<&str> = rows.iter().filter(close).map(|row| row.way).collect();
    if best.len() == rows.len() {
        return format!("all answered the same number of requests in this run, within {SCATTER} %");
    }
    format!("most answers in this run, within {SCATTER} %: {}", best.join(", "))
}

fn print(row: &Row) {
    println!(
        "{:<17} {:<24} {:>5.3} {:>5.1} {:>5.1} {:>5.1} {:>4.0} {:>6.2}",
        row.way,
        format!("{:?}", row.shares),
        jain(&row.shares),
        row.median.as_secs_f64() * 1e3,
        row.p90.as_secs_f64() * 1e3,
        row.p99.as_secs_f64() * 1e3,
        row.cpu.as_secs_f64() * 1e6,
        row.sleeps
    );
}

fn measure(way: &'static str, options: &[&str]) -> Result<Row> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--listen", "127.0.0.1:0", "--workers", &WORKERS.to_string()]).args(options);
    let mut service = Service::launch(command)?.until_ready()?;
    let pids = [vec![service.primary()], service.workers()?].concat();
    let before = (proc::cpu(&pids)?, sleeps(&pids)?);
    let answers = answers(&service.address().to_string())?;
    let cpu = proc::cpu(&pids)?.saturating_sub(before.0);
    let sleeps = sleeps(&pids)? - before.1;
    let mut shares: BTreeMap<i32, usize> = pids[1..].iter().map(|pid| (*pid, 0)).collect();
    let mut times = Vec::new();
    for (pid, time) in answers {
        *shares.entry(pid).or_default() += 1;
        times.push(time);
    }
    times.sort_unstable();
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
    Ok(Row {
        way,
        shares: shares.into_values().collect(),
        median: times[times.len() / 2],
        p90: times[times.len() * 90 / 100],
        p99: times[times.len() * 99 / 100],
        cpu: cpu / count,
        sleeps: f64::from(u32::try_from(sleeps).unwrap_or(u32::MAX)) / f64::from(count),
    })
}

/// All answers: the worker, and the client's time.
fn answers(address: &str) -> Result<Vec<(i32, Duration)>> {
    let end = Instant::now() + TIME;
    let client = move |address: String| -> Result<Vec<(i32, Duration)>> {
        let mut seen = Vec::new();
        while Instant::now() < end {
            let begun = Instant::now();
            let body = raw::Client::connect(&address)?.get("/work?ms=5")?.body;
            let worker = body.split_whitespace().find_map(|word| word.parse().ok());
            seen.push((worker.ok_or("an answer without a worker")?, begun.elapsed()));
        }
        Ok(seen)
    };
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let address = address.to_owned();
            thread::spawn(move || client(address))
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.join().map_err(|_| "a client has panicked")??);
    }
    Ok(all)
}

/// The number of times that these processes have gone to sleep.
fn sleeps(pids: &[i32]) -> Result<u64> {
    let mut sum = 0;
    for pid in pids {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += count.ok_or("an odd status")?.trim().parse::<u64>()?;
    }
    Ok(sum)
}
