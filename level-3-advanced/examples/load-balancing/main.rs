//! Ways to balance load over workers, side by side: which worker gets the next connection?
//!
//! ```console
//! $ cargo run -p level-3 --example load-balancing -- --strategy least-connections --slow
//! $ for i in 1 2 3 4 5 6; do curl -s 'http://127.0.0.1:8000/work?ms=20' & done   # in a second terminal
//! ```
//!
//! Look for: with `--slow` the worker of slot 0 takes ten times as long as the others. Round robin gives
//! it the same number of connections; the other strategies give it fewer. `--share shared-listener` and
//! `--share reuse-port` leave the choice to the kernel. `--measure` (in a release build) prints the
//! latencies of all of them.

mod demo;
mod measure;
mod strategies;
mod waiters;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use cluster::config::Sharing;
use cluster::dispatch::{Connection, Workers};
use cluster::http::{Bytes, Full, Incoming, Request, Response, StatusCode, service_fn, text};
use cluster::supervisor::SlotId;
use cluster::{Cluster, Config, Worker};
use lab::Result;
use lab::args::{self, Common};
use level_2::story;
use level_2::{http, settings};

/// Ways to balance load over workers, side by side
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The way that the workers share the port; only with hand-off does a strategy choose
    #[arg(long, value_name = "WAY", default_value = "hand-off")]
    share: Share,
    /// The strategy that chooses a worker for each connection
    #[arg(long, value_name = "NAME", default_value = "round-robin")]
    strategy: strategies::Name,
    /// Make the worker of slot 0 ten times slower than the others
    #[arg(long)]
    slow: bool,
    /// Measure all strategies under two loads, and print tables of times (release builds only)
    #[arg(long, conflicts_with = "demo")]
    measure: bool,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
    /// Be one of several processes that wait for a connection; for the demo's own use
    #[arg(long, hide = true)]
    wait_by: Option<waiters::Call>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Share {
    /// One listening socket; the first worker to wake up accepts
    SharedListener,
    /// A listening socket for each worker; the kernel chooses by a hash
    ReusePort,
    /// The primary accepts, and hands each connection to a worker
    HandOff,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// Round robin in a list of workers that is never updated
    ForgetsDead,
    /// Least connections with a count that never goes down
    NeverCountsDown,
}

/// The slot whose worker is slow with `--slow`.
const SLOW: SlotId = SlotId(0);

/// The factor by which it is slower.
const SLOWER: usize = 10;

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(match args.wait_by {
        Some(call) => waiters::wait(call),
        None if args.common.demo => demo::play(),
        None if args.measure => measure::play(),
        None => run(&args),
    })
}

fn run(args: &Args) -> Result<()> {
    let sharing = match args.share {
        Share::SharedListener => Sharing::Inherited,
        Share::ReusePort => Sharing::ReusePort,
        Share::HandOff => Sharing::HandOff,
    };
    let config = settings::complete(Config::builder().sharing(sharing), &args.common)?;
    let mut strategy = args.strategy.strategy(args.wrong);
    let slow = args.slow;
    Cluster::new(config)
        .strategy(move |it: &Connection, workers: &Workers| strategy.choose(it, workers))
        .watch(|events, _| story::tell_all(events))
        .run(async move |worker| serve(worker, slow).await)?;
    Ok(())
}

async fn serve(worker: Worker, slow: bool) -> Result<()> {
    let factor = if slow && worker.slot() == SLOW { SLOWER } else { 1 };
    let service = service_fn(move |request| answer(request, factor));
    Ok(worker.serve_http(service).await?)
}

async fn answer(
    request: Request<Incoming>,
    factor: usize,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let pid = std::process::id();
    Ok(match request.uri().path() {
        "/" => text(StatusCode::OK, format!("Hello from worker {pid}\n")),
        "/work" => {
            let ms = http::number(&request, "ms").unwrap_or(20).min(1000);
            tokio::time::sleep(Duration::from_millis(ms) * u32::try_from(factor).unwrap_or(1))
                .await;
            text(StatusCode::OK, format!("worker {pid} has worked\n"))
        }
        _ => text(StatusCode::NOT_FOUND, "try / or /work?ms=20\n"),
    })
}
