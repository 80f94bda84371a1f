//! The cost of `cluster`, measured on whole processes, each figure next to a physical
//! comparison in the same run.
//!
//! ```console
//! $ cargo run --release -p benches --bin whole-cluster
//! $ cargo run --release -p benches --bin whole-cluster -- --only hand-off --quick
//! ```
//!
//! The program plays all roles itself: it starts itself again as a server on `cluster`, whose
//! workers are again the same program, and as bare processes, which do the same work by hand for
//! comparison. The two sides take turns, so that a busy machine is busy for both. The figures are
//! medians. A missed target is marked in the table, and is not an error.

mod bare;
mod clients;
mod hand_off;
mod idle;
mod memory;
mod messages;
mod process;
mod restart;
mod server;
mod table;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

/// Measures the cost of `cluster`, each figure next to a comparison in the same run.
///
/// It starts itself as a server, with workers of its own, and loads only the loopback interface. A
/// full run takes about two minutes. The machine should be otherwise idle.
#[derive(Parser)]
struct Args {
    /// Measures only this; may be given several times.
    #[arg(long, value_enum, value_name = "ROW")]
    only: Vec<Topic>,
    /// Measures briefly: to see that it works, not for figures to rely on.
    #[arg(long)]
    quick: bool,
    /// Plays a part in a measurement; for this command's own use.
    #[arg(long, value_enum, hide = true)]
    play: Option<Role>,
}

/// A topic that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// Fresh connections: handed to workers by the primary, or from a shared listener.
    HandOff,
    /// From SIGKILL to a worker until its replacement is ready.
    Restart,
    /// Proportional set size (PSS) that one more worker adds.
    Memory,
    /// Processor time of an idle cluster with 100 workers.
    Idle,
    /// Messages between the primary and a worker.
    Messages,
}

/// The role of a program that this program has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// A server on `cluster`.
    Hello,
    /// A cluster that measures its own messages.
    Messages,
    /// A bare process with a runtime, which reads until its input ends.
    Bare,
    /// A bare process that answers on the socket that is its input.
    Echo,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.play {
        Some(Role::Hello) => server::play(),
        Some(Role::Messages) => messages::play(args.quick),
        Some(Role::Bare) => bare::play(),
        Some(Role::Echo) => bare::play_echo(),
        None => measure(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> cluster::Result<()> {
    let all = Topic::value_variants();
    let topics = if args.only.is_empty() { all } else { &args.only };
    table::head();
    let mut missed = 0;
    for topic in topics {
        let rows = match topic {
            Topic::HandOff => hand_off::measure(args.quick)?,
            Topic::Restart => restart::measure(args.quick)?,
            Topic::Memory => memory::measure()?,
            Topic::Idle => idle::measure(args.quick)?,
            Topic::Messages => messages::measure(args.quick)?,
        };
        missed += rows.iter().filter(|row| row.missed()).count();
        rows.iter().for_each(table::Row::print);
    }
    table::foot(missed, args.quick);
    Ok(())
}
