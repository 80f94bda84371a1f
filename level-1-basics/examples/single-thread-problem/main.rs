//! A handler that computes holds up all other requests on its thread. What helps, and what does not?
//!
//! ```console
//! $ cargo run -p level-1 --example single-thread-problem -- --arrangement one-thread --work 45
//! $ curl http://127.0.0.1:8000/intensive &            # in a second terminal
//! $ curl http://127.0.0.1:8000/quick                  # waits; with `processes` it does not
//! ```
//!
//! Look for: how long `/quick` takes while `/intensive` runs. `--demo` measures it in five
//! arrangements, and its last row is the honest one: enough heavy requests block a cluster, too.

mod demo;

use std::hint::black_box;
use std::net::TcpListener;
use std::process::ExitCode;

use lab::args::{self, Common};
use lab::{Result, narrate, say};
use level_1::http::{self, Reply, Request, Threads};
use level_1::process::{die_with, end_worker, fork, watch};
use level_1::readiness;
use level_1::signals::{PRIMARY_READS, block};
use nix::unistd::{ForkResult, Pid, getpid};

/// One heavy request against all the quick ones, in several arrangements
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The processes and threads that run the handlers
    #[arg(long, value_name = "HOW", default_value = "processes")]
    arrangement: Arrangement,
    /// The work of /intensive: it computes this Fibonacci number
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_BY_HAND)))]
    work: u32,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Arrangement {
    /// One process with one thread, as Node without cluster
    OneThread,
    /// One process with Tokio's multi-thread runtime, N threads
    TokioThreads,
    /// One process; handlers go to a pool of blocking threads
    SpawnBlocking,
    /// N processes with one thread each
    Processes,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// `spawn-blocking` computes on the event loop after all
    PoolForgotten,
}

/// Each number costs 1.6 times the one before: 42 takes a second or two, 60 would take hours. Bad
/// input must not cost a worker.
const MOST: u32 = 42;

/// The limit of `--work`: 45 takes about ten seconds, time to type the second request.
const MOST_BY_HAND: u32 = 50;

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { primary(&args) })
}

fn primary(args: &Args) -> Result<()> {
    let listener = args.common.bind()?;
    let address = listener.local_addr()?;
    let signals = block(&PRIMARY_READS)?;
    let n = args.common.workers.get();
    let (processes, threads) = match args.arrangement {
        Arrangement::OneThread => (1, Threads::One),
        Arrangement::TokioThreads => (1, Threads::Many(n)),
        Arrangement::SpawnBlocking if args.wrong == Some(Wrong::PoolForgotten) => (1, Threads::One),
        Arrangement::SpawnBlocking => (1, Threads::BlockingPool),
        Arrangement::Processes => (n, Threads::One),
    };
    let me = getpid();
    let mut workers = Vec::new();
    for _ in 0..processes {
        match fork()? {
            ForkResult::Parent { child } => workers.push(child),
            ForkResult::Child => {
                drop(signals);
                end_worker(worker(me, listener, threads, args.work))
            }
        }
    }
    say!("primary: {processes} worker(s), each runs its handlers like this: {threads:?}");
    drop(listener); // the workers have it
    if readiness::answers(address, &signals)? {
        narrate::ready(address, processes);
    }
    watch(&signals, workers)
}

fn worker(primary: Pid, listener: TcpListener, threads: Threads, work: u32) -> Result<()> {
    die_with(primary)?;
    http::serve_on(threads, listener, || Ok(()), move |request| answer(request, work))
}

fn answer(request: &Request, work: u32) -> Reply {
    let me = getpid();
    match request.uri().path() {
        "/" => http::text(format!("Hello from worker {me}; try /quick /intensive /compute?n=40\n")),
        "/quick" => http::text(format!("quick answer from worker {me}\n")),
        "/intensive" => compute(work),
        "/compute" => match http::query(request, "n").unwrap_or("40").parse() {
            Ok(n) if n <= MOST => compute(n),
            _ => http::status(400, format!("n must be a whole number from 0 to {MOST}\n")),
        },
        _ => http::status(404, "there is /quick, /intensive and /compute?n=40\n"),
    }
}

fn compute(n: u32) -> Reply {
    say!("worker: computing fibonacci({n})");
    let result = fibonacci(n);
    http::text(format!("fibonacci({n}) = {result}, computed by worker {}\n", getpid()))
}

/// The slow way, on purpose. A loop that only sums would be optimised away.
fn fibonacci(n: u32) -> u64 {
    let n = black_box(n);
    if n < 2 { u64::from(n) } else { fibonacci(n - 1) + fibonacci(n - 2) }
}
