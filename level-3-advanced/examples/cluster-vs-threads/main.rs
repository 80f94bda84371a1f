//! One service in five architectures: a thread, threads, processes, and processes with threads.
//!
//! ```console
//! $ cargo run -p level-3 --example cluster-vs-threads -- --architecture multi-thread
//! $ curl http://127.0.0.1:8000/crash                       # in a second terminal
//! $ curl http://127.0.0.1:8000/                            # refused; with `prefork` it is answered
//! ```
//!
//! Look for: what a crash, a panic, a leak, heavy work and a reload cost each architecture. `--demo`
//! counts them; `--measure` (in a release build) prints the times. The handlers are in `service.rs`,
//! once; a file of `architectures/` has only what differs.

mod architecture;
mod architectures;
mod decision;
mod demo;
mod harm;
mod heavy;
mod limits;
mod measure;
mod rows;
mod service;

use std::net::SocketAddr;
use std::process::ExitCode;

use lab::Result;
use lab::args::{self, Common};

use architecture::Architecture;

/// One service in five architectures
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The processes and threads of the service
    #[arg(long, value_name = "HOW", default_value = "prefork")]
    architecture: Architecture,
    /// A slow service behind this one, for /backend
    #[arg(long, value_name = "ADDRESS:PORT")]
    backend: Option<SocketAddr>,
    /// Measure all architectures, and print tables of times (release builds only; five minutes)
    #[arg(long, conflicts_with = "demo")]
    measure: bool,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// `both` starts a thread for each heavy request
    UnboundedPool,
    /// `prefork` counts in a static
    StaticCount,
    /// `both` does heavy work on the event loop after all
    HeavyOnLoop,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo {
        demo::play()
    } else if args.measure {
        measure::play()
    } else {
        run(&args)
    })
}

fn run(args: &Args) -> Result<()> {
    match args.architecture {
        Architecture::OneThread => architectures::one_thread::run(args),
        Architecture::MultiThread => architectures::multi_thread::run(args),
        Architecture::Prefork => architectures::prefork::run(args),
        Architecture::ReusePort => architectures::reuse_port::run(args),
        Architecture::Both => architectures::both::run(args),
    }
}
