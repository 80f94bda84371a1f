//! Crashed workers are restarted, at once or after growing delays; a crash loop is reported.
//!
//! ```console
//! $ cargo run -p level-2 --example restart-strategies
//! $ curl 'http://127.0.0.1:8000/crash?code=3'; curl 'http://127.0.0.1:8000/status'
//! $ cargo run -p level-2 --example restart-strategies -- --crash-at-boot 4 --strategy fixed
//! ```
//!
//! Look for: the timeline on stderr. A worker that lived longer than a second is replaced at once, one
//! that died earlier has to wait, and `waits` shows how long. For a crash loop, `curl -X POST …/break`
//! keeps workers from starting (a database is down), and `curl …/crash` starts the loop. After five
//! early deaths the slot is errored: it is tried every 30 s from then on, while the others keep serving.
//! `curl -X POST …/repair` brings it back within 30 s; `curl -X POST '…/reset?slot=0'` or
//! `kill -HUP PRIMARY` then does it at once.
//!
//! With `--workers 1` the loop leaves no worker that could pass on `/repair`. In that case use
//! `curl -X POST '…/break?times=5'`, which lets five starts fail: clients are refused until the sixth.
//!
//! `policy.rs` has the strategies, `timeline.rs` reports, `worker.rs` misbehaves.

mod chronicle;
mod crash_loop;
mod demo;
mod outage;
mod policy;
mod timeline;
mod worker;

use std::process::ExitCode;
use std::time::Instant;

use cluster::Cluster;
use cluster::primary::{Event, Events, Handle};
use cluster::supervisor::SlotId;
use lab::Result;
use lab::args::{self, Common};
use level_2::settings;
use policy::Strategy;
use serde::{Deserialize, Serialize};
use timeline::Timeline;

/// Restarts crashed workers, at once or after a delay
#[derive(Clone, clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The delay before a worker that crashed early is restarted
    #[arg(long, value_name = "STRATEGY", default_value = "breaker")]
    strategy: Strategy,
    /// The first N workers of each slot crash before they are ready
    #[arg(long, value_name = "N", default_value_t = 0)]
    crash_at_boot: u64,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// A dead worker is restarted at once, forever
    ForkBomb,
    /// Each worker itself waits, for the same time
    NoJitter,
    /// Every worker that exits is replaced, even one that was stopped
    RestartAll,
}

/// A question from a worker to the primary. The answer is a sentence, or a refusal.
#[derive(Serialize, Deserialize)]
enum Question {
    MayStart,
    Status,
    /// The number of starts that will fail.
    Break(u64),
    Repair,
    Reset(SlotId),
    PanicPrimary,
}

fn main() -> ExitCode {
    let began = Instant::now();
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { run(args, began) })
}

fn run(args: Args, began: Instant) -> Result<()> {
    let settings = match args.wrong {
        Some(Wrong::ForkBomb) => policy::settings(Strategy::Immediate),
        Some(Wrong::NoJitter) => {
            policy::settings(Strategy::Breaker).restart_delay(policy::LEAST) // and a worker adds its own
        }
        Some(Wrong::RestartAll) | None => policy::settings(args.strategy),
    };
    let config = settings::complete(settings, &args.common)?;
    let watched = args.clone();
    Cluster::new(config)
        .watch(move |events, cluster| primary(events, &cluster, &watched, began))
        .run(async move |worker| worker::serve(worker, args).await)?;
    Ok(())
}

/// The primary's part: it reports events, and answers. The library does the restarts.
fn primary(events: Events, cluster: &Handle, args: &Args, began: Instant) {
    let mut timeline = Timeline::since(began);
    let mut failing = 0;
    for event in events {
        timeline.tell(&event);
        match event {
            Event::Asked(worker, question, answer) => {
                let Ok(question) = question.parse() else { continue };
                let panics = matches!(question, Question::PanicPrimary);
                // The worker that asked may already be gone.
                let _ = match reply(&question, cluster, &mut failing) {
                    Ok(sentence) => answer.send(&sentence),
                    Err(why) => {
                        timeline.of(worker, &format!("is refused: {why}"));
                        answer.refuse(why.to_string())
                    }
                };
                assert!(!panics, "a bug of the program, in the primary");
            }
            // `cluster.on('exit', () => cluster.fork())`: it never checks the reason.
            Event::Exited { .. } if args.wrong == Some(Wrong::RestartAll) => {
                let _ = cluster.scale(args.common.workers.get()); // refused if the cluster is stopping
            }
            _ => {}
        }
    }
}

fn reply(question: &Question, cluster: &Handle, failing: &mut u64) -> Result<String> {
    match question {
        Question::MayStart if *failing > 0 => {
            *failing -= 1;
            return Err("the database is down".into());
        }
        Question::MayStart | Question::Status => {}
        Question::Break(starts) => *failing = *starts,
        Question::Repair => *failing = 0,
        Question::Reset(slot) => cluster.reset(*slot)?,
        Question::PanicPrimary => return Ok("the primary panics".to_owned()),
    }
    let stats = cluster.stats()?;
    let (cluster, crashes) = (stats.cluster, stats.primary.total_crashes);
    let (wanted, ready, errored) =
        (cluster.num_workers, cluster.healthy_workers, cluster.errored_slots);
    Ok(format!("{wanted} wanted, {ready} ready, {errored} errored, {crashes} crashes"))
}
