//! The requests that reloads lose: clients that never retry, against a server that reloads.
//!
//! ```console
//! $ cargo run --release -p benches --bin reload-loss
//! $ cargo run --release -p benches --bin reload-loss -- --against nginx
//! ```
//!
//! A request is lost if its client got no complete answer: the connection was refused or reset, or
//! it ended before the answer. After `Connection: close` a client connects again, as HTTP requires;
//! no client sends a request twice. The same clients run against nginx (Debian's nginx-light will do),
//! which shows that they can see losses: by default nginx closes its idle connections during a reload. A
//! version that knows `keepalive_min_timeout` (1.27.4) runs again with it.
//!
//! Clients pause for at most 900 ms. A shorter window than that loses requests of `cluster` as well:
//! `DRAIN_WINDOW=300ms cargo run --release -p benches --bin reload-loss`.

mod clients;
mod servers;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cluster::Error;

use clients::{Counts, Habit};
use servers::{Idle, Server};

/// Counts the requests that are lost while a server reloads.
#[derive(Parser)]
struct Args {
    /// The server to reload.
    #[arg(long, value_enum, default_value_t = Against::Cluster)]
    against: Against,
    /// The minimum number of requests to send.
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// The number of reloads, spread over the requests.
    #[arg(long, default_value_t = 100)]
    reloads: u64,
    /// The number of workers of the server.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Clients with fresh connections; the same number send POSTs, and four times as many keep theirs.
    #[arg(long, default_value_t = 12)]
    clients: usize,
    /// Plays the server; for this command's own use.
    #[arg(long, hide = true)]
    serve: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Against {
    Cluster,
    Nginx,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = if args.serve { servers::serve() } else { measure(&args) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> cluster::Result<()> {
    match args.against {
        Against::Cluster => match run(args, Server::cluster(args.workers)?)? {
            0 => Ok(()),
            _ => Err(Error::new("cluster has lost requests")),
        },
        Against::Nginx => against_nginx(args),
    }
}

/// nginx by default, and with the option that keeps idle connections, if it knows the option.
fn against_nginx(args: &Args) -> cluster::Result<()> {
    if run(args, Server::nginx(args.workers, Idle::Closed)?)? == 0 {
        return Err(Error::new("it lost none, so this run shows nothing"));
    }
    if servers::nginx_knows(Idle::Kept)? {
        run(args, Server::nginx(args.workers, Idle::Kept)?)?;
    } else {
        let version = servers::nginx_version()?;
        println!("not run here: keepalive_min_timeout, which {version} does not know");
        println!(
            "  (nginx 1.31.5 lost 0 of 60135 with it, and 276 of 60098 without; November 2026)"
        );
    }
    Ok(())
}

/// Prints the table of one server, and returns the number of requests that it lost.
fn run(args: &Args, mut server: Server) -> cluster::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counts: Vec<Arc<Counts>> = runtime.block_on(drive(args, &mut server))?;
    let lost = lost(&counts);
    println!("{lost} requests lost of {}", answered(&counts) + lost);
    Ok(lost)
}

async fn drive(args: &Args, server: &mut Server) -> cluster::Result<Vec<Arc<Counts>>> {
    let begun = Instant::now();
    let counts: Vec<_> = Habit::ALL.map(|habit| clients::start(habit, args.clients, server)).into();
    let each = args.requests / (args.reloads + 1);
    for reload in 1..=args.reloads {
        reached(&counts, each * reload).await;
        server.reload().await?;
    }
    reached(&counts, args.requests).await;
    for counts in &counts {
        counts.stop();
    }
    clients::ended(&counts).await;
    table(&counts, args.reloads, begun.elapsed(), server);
    Ok(counts)
}

/// Waits until `goal` requests have been sent.
async fn reached(counts: &[Arc<Counts>], goal: u64) {
    while answered(counts) + lost(counts) < goal {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn answered(counts: &[Arc<Counts>]) -> u64 {
    counts.iter().map(|counts| counts.answered()).sum()
}

fn lost(counts: &[Arc<Counts>]) -> u64 {
    counts.iter().map(|counts| counts.lost()).sum()
}

fn table(counts: &[Arc<Counts>], reloads: u64, elapsed: Duration, server: &Server) {
    println!("{}, {} reloads in {:.0} s", server.name, reloads, elapsed.as_secs_f64());
    println!("{:<44} {:>10} {:>8}", "clients", "answered", "lost");
    for counts in counts {
        println!("{:<44} {:>10} {:>8}", counts.habit.name(), counts.answered(), counts.lost());
        for (reason, count) in counts.reasons() {
            println!("  {count:>6} x {reason}");
        }
    }
}
