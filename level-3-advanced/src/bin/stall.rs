//! Coordinated omission: the same stall of a server, seen by a closed loop and by an open one.
//!
//! ```console
//! $ cargo run --release -p level-3 --bin stall
//! ```
//!
//! It starts a service with one worker, puts it under load, and stops the worker for 1.4 s with
//! SIGSTOP; first in a closed loop, then in an open one. The table shows both. Guide 4 of this level has
//! the predictions and the answers.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use cluster::http::{Incoming, Request, StatusCode, service_fn, text};
use cluster::{Cluster, Config, Worker};
use lab::args::{self, Common};
use lab::{Result, Service};
use level_2::{settings, story};
use load::{Pace, Paced, Plan, Report, Target};
use nix::sys::signal::Signal;

/// Shows one stall of a server in a closed loop and in an open one.
///
/// The exit code is 0 if both runs were carried out, whatever they measured.
#[derive(clap::Parser)]
struct Args {
    /// Length of each run, as in 20s
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// The time for which the worker is stopped, in the middle of the run
    #[arg(long, value_name = "TIME", default_value = "1.4s", value_parser = humantime::parse_duration)]
    stall: Duration,
    /// Requests per second of the open loop
    #[arg(long, value_name = "PER_SECOND", default_value_t = 2000)]
    rate: u32,
    /// Clients of either loop, each with one connection
    #[arg(long, value_name = "N", default_value = "64")]
    connections: NonZeroUsize,
    /// Be the service; for this program's own use
    #[arg(long, hide = true)]
    serve: bool,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.serve { serve() } else { show(&args) })
}

/// Runs both loops, and prints them side by side.
fn show(args: &Args) -> Result<()> {
    if args.stall * 2 > args.duration {
        return Err(
            "--stall: at most half of --duration, so that most of the run is undisturbed".into()
        );
    }
    let closed = run(args, Pace::Closed)?;
    let open = run(args, Pace::Open { rate: f64::from(args.rate) })?;
    println!(
        "one worker, stopped for {} s in a run of {} s, {} connections\n",
        args.stall.as_secs_f64(),
        args.duration.as_secs_f64(),
        args.connections
    );
    print(&closed, &open);
    Ok(())
}

/// One run, in the middle of which the only worker is stopped.
fn run(args: &Args, pace: Pace) -> Result<Report> {
    let mut service = start()?;
    let worker = service.workers()?[0];
    let target: Target = format!("http://{}/", service.address()).parse()?;
    let plan = Plan::get(target, args.connections, pace, args.duration);
    thread::scope(|scope| {
        let stalled = scope.spawn(|| {
            thread::sleep(args.duration.saturating_sub(args.stall) / 2);
            service.signal(worker, Signal::SIGSTOP)?;
            thread::sleep(args.stall); // the stall itself
            service.signal(worker, Signal::SIGCONT)
        });
        let report = plan.run();
        stalled.join().map_err(|_| "the thread that stops the worker has panicked")??;
        report
    })
}

fn print(closed: &Report, open: &Report) {
    let row = |name: &str, of: &dyn Fn(&Report) -> String| {
        println!("{name:<22} {:>12} {:>12}", of(closed), of(open));
    };
    row("", &|it| match it.paced {
        Paced::Closed => "closed loop".into(),
        Paced::Open { rate, .. } => format!("open, {rate}/s"),
    });
    row("planned", &|it| match it.paced {
        Paced::Closed => "-".into(),
        Paced::Open { planned, .. } => planned.to_string(),
    });
    row("sent", &|it| it.sent.to_string());
    row("dropped", &|it| match it.paced {
        Paced::Closed => "-".into(),
        Paced::Open { dropped, .. } => dropped.to_string(),
    });
    row("lost", &|it| it.lost.to_string());
    let latency = |of: fn(&load::Latency) -> f64| {
        move |it: &Report| it.latency.as_ref().map_or("-".into(), |it| milliseconds(of(it)))
    };
    row("p50", &latency(|it| it.percentiles["p50"]));
    row("p90", &latency(|it| it.percentiles["p90"]));
    row("p99", &latency(|it| it.percentiles["p99"]));
    row("p99.9", &latency(|it| it.percentiles["p99.9"]));
    row("max", &latency(|it| it.max));
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}

/// Starts this program again as a service with one worker.
fn start() -> Result<Service> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.arg("--serve");
    Service::launch(command)?.until_ready()
}

/// The service. Its primary would replace a worker that stays silent; the limit is far above any stall
/// here, because that is another lesson.
fn serve() -> Result<()> {
    let example = Config::builder().health_check_interval(Duration::from_secs(600));
    let common =
        Common { listen: ([127, 0, 0, 1], 0).into(), workers: NonZeroUsize::MIN, demo: false };
    let config = settings::complete(example, &common)?;
    Cluster::new(config).watch(|events, _| story::tell_all(events)).run(answer)?;
    Ok(())
}

async fn answer(worker: Worker) -> cluster::Result<()> {
    let service = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(text(StatusCode::OK, "Hello\n"))
    });
    worker.serve_http(service).await
}
