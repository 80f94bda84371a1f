//! A stop that finishes the requests in flight: accept no more, answer them, close idle
//! connections, be gone by a deadline.
//!
//! ```console
//! $ cargo run -p level-2 --example graceful-shutdown
//! $ curl 'http://127.0.0.1:8000/slow?ms=3000' & sleep 1; kill -TERM PRIMARY
//! ```
//!
//! Look for: the answer comes after the signal; a new `curl` in between is refused. A `POST` to
//! `/shutdown` does the same by message: the worker asks the primary, and the primary stops all of
//! them. `kill -TERM` of a *worker* starts another one; when that is ready, the old one finishes and
//! leaves. With `--wrong exit-at-once` the answer never comes.

mod demo;

use std::convert::Infallible;
use std::mem;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use cluster::http::{Bytes, Full, Method, StatusCode, text};
use cluster::primary::{Event, Events, Handle};
use cluster::worker::Arrival;
use cluster::{Cluster, Config, Worker};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lab::args::{self, Common};
use lab::{Result, say};
use level_2::story::Story;
use level_2::{http, settings};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

type Request = hyper::Request<Incoming>;
type Response = hyper::Response<Full<Bytes>>;

/// A stop that finishes the requests in flight
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
    /// A worker that is to leave exits at once, whatever it is doing
    ExitAtOnce,
    /// A worker waits for its connections, and closes none of them
    KeepIdle,
}

/// A message from a worker to the primary.
#[derive(Serialize, Deserialize)]
enum ToPrimary {
    Shutdown,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { run(&args) })
}

fn run(args: &Args) -> Result<()> {
    // GRACEFUL_SHUTDOWN_TIMEOUT: from the start of a stop to its deadline.
    let config = Config::builder().shutdown_timeout(Duration::from_secs(5));
    let config = settings::complete(config, &args.common)?;
    let wrong = args.wrong;
    Cluster::new(config)
        .watch(|events, cluster| primary(events, &cluster))
        .run(async move |worker| serve(worker, wrong).await)?;
    Ok(())
}

/// The primary's part, besides the supervision itself: it reports events, and handles messages.
fn primary(events: Events, cluster: &Handle) {
    let mut story = Story::default();
    for event in events {
        story.tell(&event);
        if let Event::Message(worker, body) = &event
            && let Ok(ToPrimary::Shutdown) = body.parse()
        {
            say!("primary: worker {} passes on a request to stop", story.pid(*worker));
            let _ = cluster.stop(); // it fails only if the cluster is already gone
        }
    }
}

/// A worker's whole life. The primary decides about the time for the last part.
async fn serve(worker: Worker, wrong: Option<Wrong>) -> Result<()> {
    let mut connections = JoinSet::new();

    // 1. Accept, until the worker drains: then it takes the connections in the queue, and no more.
    let mut arrivals = worker.arrivals("default").await?;
    while let Some(arrival) = arrivals.next().await {
        connections.spawn(connection(arrival, worker.clone(), wrong));
        while connections.try_join_next().is_some() {} // forget those that have ended
    }
    if wrong == Some(Wrong::ExitAtOnce) {
        std::process::exit(0);
    }

    // 2. Wait until every connection has had its last answer, or until the primary's deadline.
    say!("worker: draining; open connections: {}", connections.len());
    let unfinished = Unfinished;
    while connections.join_next().await.is_some() {}
    mem::forget(unfinished);

    // 3. Leave. The connections are closed, and the primary gets the exit code.
    say!("worker: everything is answered, goodbye");
    Ok(())
}

/// A guard that is dropped only if `serve` ends unfinished: the library drops `serve` at the deadline.
struct Unfinished;

impl Drop for Unfinished {
    fn drop(&mut self) {
        say!("worker: the deadline has passed; open requests are cut off");
    }
}

/// One connection, from its first request to its end.
async fn connection(arrival: Arrival, worker: Worker, wrong: Option<Wrong>) {
    let service = service_fn(|request| answer(request, &worker));
    let mut http = http1::Builder::new();
    // A client's FIN may only mark the end of its request (`nc -N`): the client still gets its answer.
    http.timer(TokioTimer::new()).half_close(true);
    let mut connection = pin!(http.serve_connection(TokioIo::new(arrival), service));
    tokio::select! {
        _ = connection.as_mut() => return, // the client has closed it
        () = worker.draining(), if wrong != Some(Wrong::KeepIdle) => {}
    }
    // An idle connection is closed now, a busy one after its answer, which has `Connection: close`.
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn answer(request: Request, worker: &Worker) -> Result<Response, Infallible> {
    let pid = std::process::id();
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => text(StatusCode::OK, format!("Hello from worker {pid}\n")),
        (&Method::GET, "/slow") => {
            let ms = http::slow(&request).await;
            text(StatusCode::OK, format!("worker {pid} has finished after {ms} ms\n"))
        }
        (&Method::POST, "/shutdown") => match worker.tell(&ToPrimary::Shutdown).await {
            Ok(()) => text(StatusCode::ACCEPTED, format!("worker {pid} has passed it on\n")),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        },
        (_, "/shutdown") => text(StatusCode::METHOD_NOT_ALLOWED, "send a POST\n"),
        _ => text(StatusCode::NOT_FOUND, "try /, /slow?ms=3000, or POST /shutdown\n"),
    })
}
