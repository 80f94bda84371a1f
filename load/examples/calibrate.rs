//! Tries the comparison for real: equal servers, and a server that burns 10 % more CPU per request.
//!
//! ```console
//! $ cargo build --release -p load --bins
//! $ cargo run --release -p load --example calibrate -- --times 40
//! ```
//!
//! On a busy machine, add `--figure server-cpu`: 40 of 40 and 40 of 40 were right with a
//! load average of 5 to 14 on two cores.
//!
//! Each comparison is a `load --compare` of 10 pairs. It prints how many of the equal pairs were called
//! equal, and how many of the differences were found. An exit code does not depend on the counts: they
//! depend on what else the machine does.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use lab::Result;
use serde_json::Value;

/// Counts the verdicts of comparisons whose answer is known.
#[derive(Parser)]
struct Args {
    /// Comparisons of each kind
    #[arg(long, default_value_t = 40)]
    times: usize,
    /// Duration of one run
    #[arg(long, default_value = "300ms", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// Rounds of work per request of server A
    #[arg(long, default_value_t = 200_000)]
    work: u64,
    /// Figure to compare: requests-per-second needs a quiet machine
    #[arg(long, default_value = "requests-per-second")]
    figure: String,
    /// Connections of the load
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

fn main() -> ExitCode {
    lab::args::exit(calibrate(&lab::args::parse()))
}

fn calibrate(args: &Args) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("a debug build measures itself; add --release".into());
    }
    let more = args.work + args.work / 10;
    let found = if args.figure == "requests-per-second" { "lower" } else { "higher" };
    for (name, work, right) in [("equal", args.work, "not-found"), ("10 % more work", more, found)]
    {
        let mut count = 0;
        for time in 1..=args.times {
            let compared = compare(args, work)?;
            count += usize::from(compared["verdict"] == right);
            let [ratio, low, high] = ["ratio", "low", "high"]
                .map(|key| compared["comparison"][key].as_f64().unwrap_or(f64::NAN));
            println!("{name} {time}: {} {ratio:.3} ({low:.3} to {high:.3})", compared["verdict"]);
        }
        println!("{name}: {count} of {} were called {right}", args.times);
    }
    Ok(())
}

/// One comparison of a burner with `args.work` and one with `work`, as its JSON report.
fn compare(args: &Args, work: u64) -> Result<Value> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // free a moment ago
    let burner = beside("../burner")?;
    let server = |work| format!("exec '{}' {address} --work {work}", burner.display());
    let report = tempfile::NamedTempFile::new()?;
    let output = Command::new(beside("../load")?)
        .arg(format!("http://{address}/"))
        .args(["--connections", &args.connections.to_string()])
        .args(["--duration", &humantime::format_duration(args.duration).to_string()])
        .args(["--compare", &server(args.work), &server(work)])
        .args(["--figure", &args.figure])
        .arg("--json")
        .arg(report.path())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr)
            .trim_start_matches("error: ")
            .trim()
            .into());
    }
    Ok(serde_json::from_slice(&std::fs::read(report.path())?)?)
}

/// A program that was built with this one.
fn beside(name: &str) -> Result<PathBuf> {
    let folder = std::env::current_exe()?;
    let program = folder.parent().unwrap_or(Path::new(".")).join(name);
    if program.is_file() {
        return Ok(program);
    }
    Err("build all of it first: cargo build --release -p load --bins".into())
}
