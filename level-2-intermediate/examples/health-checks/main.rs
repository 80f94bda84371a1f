//! A hung worker is killed and replaced, a growing one is drained and replaced, an idle one is left
//! alone.
//!
//! ```console
//! $ CLUSTER_API_PORT=9000 LOG_CLUSTER_STATS=1s cargo run -p level-2 --example health-checks
//! $ curl http://127.0.0.1:8000/loop                 # that worker no longer serves
//! $ curl 'http://127.0.0.1:8000/block?ms=400'       # this one comes back in time
//! $ curl 'http://127.0.0.1:8000/grow?mib=80&ms=2000'
//! $ curl http://127.0.0.1:9000/stats                # the primary's figures; also /health, /metrics
//! ```
//!
//! Look for: a worker reports every half second, and after two missed reports it gets SIGABRT, which
//! writes a core dump if `ulimit -c` allows one; a worker that cannot abort (`kill -STOP` one) gets
//! SIGKILL. A worker that grows is replaced without losing its request. `watch.rs` is the primary's
//! view, and `monitor.rs` the rule of the two missed reports, with no clock in it.

mod demo;
mod monitor;
mod readings;
mod watch;

use std::convert::Infallible;
use std::future::pending;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cluster::http::{Bytes, Full, Incoming, Request, StatusCode, service_fn, text};
use cluster::{Cluster, Config, Worker};
use lab::args::{self, Common};
use lab::{Result, say};
use level_2::{http, settings};
use tokio::runtime::{self, Handle};
use tokio::time::sleep;

type Response = cluster::http::Response<Full<Bytes>>;

/// The time between two reports, even of an idle worker: after two and a half periods, two are missed.
const PERIOD: Duration = Duration::from_millis(500);

/// Resident memory above which a worker is replaced.
const LIMIT: u64 = 64 << 20;

/// A hung worker is replaced, an idle one is not
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// Requests are answered on a different thread from the one that reports
    HeartElsewhere,
    /// A worker that answers no requests counts as hung
    JudgeByRequests,
    /// A worker over the memory limit is killed at once
    KillAtTheLimit,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { run(&args) })
}

fn run(args: &Args) -> Result<()> {
    let wrong = args.wrong;
    // Each of these can be set from outside: HEALTH_REPORT_INTERVAL, HEALTH_CHECK_INTERVAL,
    // WORKER_MEMORY_LIMIT, WORKER_ABORT_GRACE, DRAIN_WINDOW. The defaults suit production.
    let config = Config::builder()
        .health_report_interval(Some(PERIOD))
        .health_check_interval(Duration::from_millis(200)) // the time between two checks of the memory
        .memory_limit((wrong != Some(Wrong::KillAtTheLimit)).then_some(LIMIT))
        .abort_grace(Duration::from_secs(1)) // from SIGABRT to SIGKILL
        .drain_window(Duration::from_millis(200)); // for idle connections of a worker that is leaving
    let config = settings::complete(config, &args.common)?;
    let period = config.health_report_interval();
    Cluster::new(config)
        .watch(move |events, cluster| watch::primary(events, cluster, period, wrong))
        .run(async move |worker| serve(worker, wrong).await)?;
    Ok(())
}

/// A worker. The library sends its reports from a task on its only thread. That is the point:
/// anything that keeps this thread from answering also keeps it from reporting.
async fn serve(worker: Worker, wrong: Option<Wrong>) -> Result<()> {
    let elsewhere =
        if wrong == Some(Wrong::HeartElsewhere) { Some(second_thread()?) } else { None };
    let service = service_fn(move |request| {
        let elsewhere = elsewhere.clone();
        async move {
            match elsewhere {
                None => answer(request).await,
                Some(thread) => {
                    thread.spawn(answer(request)).await.unwrap_or_else(|_| Ok(failed()))
                }
            }
        }
    });
    Ok(worker.serve_http(service).await?)
}

/// Starts a thread for the requests, so that they never block the one that reports: tempting, and wrong.
fn second_thread() -> Result<Handle> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(pending::<()>()));
    Ok(handle)
}

async fn answer(request: Request<Incoming>) -> Result<Response, Infallible> {
    let pid = std::process::id();
    let ms = |default| http::number(&request, "ms").unwrap_or(default).min(60_000);
    Ok(match request.uri().path() {
        "/" => text(StatusCode::OK, format!("Hello from worker {pid}\n")),
        "/loop" => {
            say!("worker: begins an infinite loop");
            hang()
        }
        "/block" => {
            let ms = ms(400);
            say!("worker: blocks its only thread for {ms} ms");
            thread::sleep(Duration::from_millis(ms)); // and not tokio's, which would let others run
            text(StatusCode::OK, format!("worker {pid} was blocked for {ms} ms\n"))
        }
        "/grow" => {
            let (mib, ms) = (http::number(&request, "mib").unwrap_or(80).min(1024), ms(0));
            say!("worker: grows by {mib} MiB, and answers {ms} ms later");
            grow(mib);
            sleep(Duration::from_millis(ms)).await;
            text(StatusCode::OK, format!("worker {pid} has grown by {mib} MiB\n"))
        }
        _ => text(StatusCode::NOT_FOUND, "try /, /loop, /block?ms=400, or /grow?mib=80&ms=2000\n"),
    })
}

fn failed() -> Response {
    text(StatusCode::INTERNAL_SERVER_ERROR, "the other thread has failed\n")
}

/// Loops without an `await`, so nothing else ever runs on this thread again.
fn hang() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// A leak. Memory counts when it is touched, not when it is allocated: a `vec!` of ones writes to it.
fn grow(mib: u64) {
    static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let bytes = usize::try_from(mib << 20).unwrap_or(0);
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(vec![1; bytes]);
}
