//! Checks the generator against others on a server that is running: `wrk`, and a bare client.
//!
//! ```console
//! $ cargo build --release -p load --bins
//! $ cargo run --release -p load --example against-wrk -- http://127.0.0.1:8000/
//! ```
//!
//! - Closed loop: throughput of `load` and of `wrk -t1`, in pairs; and Little's law, which says that
//!   connections = throughput × mean latency.
//! - Open loop at a third of that throughput: p50 of `load`, and of one blocking connection, in pairs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use lab::{Result, median};
use serde_json::Value;

/// Compares `load` with `wrk -t1` and with a bare client.
#[derive(Parser)]
struct Args {
    /// `http://ADDRESS:PORT/` of a server whose answers are short
    url: String,
    /// Pairs of each comparison
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Duration of one run
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// Connections of both generators
    #[arg(long, default_value_t = 64)]
    connections: u32,
}

fn main() -> ExitCode {
    lab::args::exit(check(&lab::args::parse()))
}

fn check(args: &Args) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("a debug build measures itself; add --release".into());
    }
    let throughput = closed_loop(args)?;
    open_loop(args, throughput / 3.0)
}

/// Prints the ratios to `wrk`, and returns the median throughput.
fn closed_loop(args: &Args) -> Result<f64> {
    println!("{:>10} {:>10} {:>8} {:>22}", "wrk -t1", "load", "ratio", "throughput x latency");
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..args.pairs {
        let wrk = wrk(args)?;
        let report = load(args, &[])?;
        let rate = number(&report["requests_per_second"])?;
        let little = rate * number(&report["latency"]["mean"])?;
        println!("{wrk:>10.0} {rate:>10.0} {:>8.2} {little:>22.2}", rate / wrk);
        rates.push(rate);
        ratios.push(rate / wrk);
    }
    println!("median ratio {:.2}, for {} connections\n", middle(ratios), args.connections);
    Ok(middle(rates))
}

fn open_loop(args: &Args, rate: f64) -> Result<()> {
    println!("{:>14} {:>14} {:>12}   (p50, at {rate:.0}/s)", "bare client", "load", "difference");
    let mut differences = Vec::new();
    for _ in 0..args.pairs {
        let bare = bare(args)?.as_secs_f64() * 1e6;
        let report = load(args, &["--rate", &format!("{rate:.0}")])?;
        let p50 = number(&report["latency"]["percentiles"]["p50"])? * 1e6;
        println!("{bare:>11.1} us {p50:>11.1} us {:>9.1} us", p50 - bare);
        differences.push(p50 - bare);
    }
    println!("median difference {:.1} us", middle(differences));
    Ok(())
}

fn wrk(args: &Args) -> Result<f64> {
    let seconds = args.duration.as_secs().max(1).to_string();
    let output = Command::new("wrk")
        .args(["-t1", "-c", &args.connections.to_string(), "-d", &seconds, &args.url])
        .output()
        .map_err(|error| format!("wrk: {error}; Debian has a package of that name"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok(rate.ok_or("wrk printed no throughput")?.trim().parse()?)
}

fn load(args: &Args, options: &[&str]) -> Result<Value> {
    let program = std::env::current_exe()?;
    let program = program.parent().unwrap_or(Path::new(".")).join("../load");
    let report = tempfile::NamedTempFile::new()?;
    let output = Command::new(program)
        .arg(&args.url)
        .args(["--connections", &args.connections.to_string()])
        .args(["--duration", &humantime::format_duration(args.duration).to_string()])
        .args(options)
        .arg("--json")
        .arg(report.path())
        .output()
        .map_err(|error| format!("load: {error}; see the first line of this example"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr)
            .trim_start_matches("error: ")
            .trim()
            .into());
    }
    Ok(serde_json::from_slice(&std::fs::read(report.path())?)?)
}

/// The median latency of one blocking connection, which asks again when it has the answer.
fn bare(args: &Args) -> Result<Duration> {
    let address = args.url.trim_start_matches("http://").trim_end_matches('/');
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let (begin, mut latencies) = (Instant::now(), Vec::new());
    while begin.elapsed() < args.duration {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        // A server may close a connection after some hundreds of requests: nginx after 1,000.
        for _ in 0..500 {
            let (start, mut answer) = (Instant::now(), [0; 16 * 1024]);
            stream.write_all(request.as_bytes())?;
            let _ = stream.read(&mut answer)?; // a short answer arrives in one piece
            latencies.push(start.elapsed());
        }
    }
    Ok(median(latencies))
}

fn number(value: &Value) -> Result<f64> {
    Ok(value.as_f64().ok_or("the report lacks a number")?)
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
