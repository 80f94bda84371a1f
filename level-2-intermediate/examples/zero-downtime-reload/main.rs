//! A new version takes over while clients run, and no request is lost: new workers are started one at
//! a time, and an old one leaves only after a new one has reported that it is ready.
//!
//! ```console
//! $ cargo run -p level-2 --example zero-downtime-reload
//! $ VERSION=2 cargo build -p level-2 --example zero-downtime-reload    # in a second terminal
//! $ kill -HUP PRIMARY; curl http://127.0.0.1:8000/version
//! ```
//!
//! Look for: the order of the lines for each worker, which is: started, ready, leaves. Before the
//! reload the file on disk is new, but the old version is still serving. Versions whose name ends with
//! `-slow`, `-broken` and `-stuck` show what a reload waits for, and what it refuses: run
//! `VERSION=3-broken cargo build …`, and reload again. The script next to this file is a deploy as a
//! procedure: see `deploy --help`. `--wrong all-at-once` works like many scripts.

mod demo;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cluster::http::{Bytes, Full, Incoming, Request, Response, StatusCode, service_fn, text};
use cluster::primary::{Event, Events};
use cluster::{Cluster, Config, Worker};
use lab::args::{self, Common};
use lab::{Result, say};
use level_2::stamp::{stamp, stamped};
use level_2::story::Story;
use level_2::{http, settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Switches to a new version of itself while it serves
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// Replace FILE with a copy of this program under a different version, and exit
    #[arg(long, num_args = 2, value_names = ["FILE", "VERSION"])]
    stamp: Option<Vec<String>>,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// A reload gives the new version a tenth of a second, then kills all old workers at once
    AllAtOnce,
    /// A worker that leaves closes its idle connections at once, as most servers do
    NoWindow,
}

/// The time that a slow version needs until it can answer.
const WARM_UP: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(match &args.stamp {
        Some(words) => stamp(Path::new(&words[0]), &words[1]),
        None if args.common.demo => demo::play(),
        None => run(&args),
    })
}

/// The version, which is part of the program: the primary has one, and each worker the one in its file.
fn version() -> String {
    stamped().unwrap_or_else(|| option_env!("VERSION").unwrap_or("1").to_owned())
}

fn run(args: &Args) -> Result<()> {
    // WORKER_READY_TIMEOUT: a version that is not ready by then is refused.
    // DRAIN_WINDOW: the time that an idle connection of an old worker stays open for one more request.
    let window = match args.wrong {
        Some(Wrong::NoWindow) => Duration::from_millis(1),
        _ => Duration::from_secs(5),
    };
    let config = Config::builder().ready_timeout(Duration::from_secs(5)).drain_window(window);
    let config = settings::complete(config, &args.common)?;
    let (api, wrong) = (config.admin().clone(), args.wrong);
    Cluster::new(config)
        .watch(move |events, _| primary(events, api.address().as_deref(), wrong))
        .run(serve)?;
    Ok(())
}

/// The primary's part, besides the reload itself, which the library does: it reports events.
fn primary(events: Events, api: Option<&str>, wrong: Option<Wrong>) {
    let me = process::id();
    say!("primary: I run version {}; replace {}, then:", version(), program().display());
    say!("primary: kill -HUP {me}, or kill -USR2 {me}, or{}", by_api(api));
    let (mut story, mut alive) = (Story::default(), BTreeSet::new());
    for event in events {
        story.tell(&event);
        match event {
            Event::Spawned { pid, .. } => drop(alive.insert(pid)),
            Event::Exited { pid, .. } => drop(alive.remove(&pid)),
            Event::ReloadStarted(_) if wrong == Some(Wrong::AllAtOnce) => all_at_once(&alive),
            _ => {}
        }
    }
}

/// The path that was used to start this program, and that a reload will open.
fn program() -> PathBuf {
    cluster::spawn::Program::current().map_or_else(|_| "me".into(), |it| it.path().to_owned())
}

/// The command for a reload by the admin API. Only this way returns an answer.
fn by_api(api: Option<&str>) -> String {
    let Some(api) = api else { return " nothing else, because there is no admin API".to_owned() };
    match api.strip_prefix("unix:") {
        Some(path) => format!(" curl --unix-socket {path} -X POST http://localhost/reload"),
        None => format!(" curl -X POST -H 'Authorization: Bearer TOKEN' {api}/reload"),
    }
}

/// The wrong reload: a timer instead of two facts, that the new workers are ready and the old ones done.
fn all_at_once(old: &BTreeSet<u32>) {
    thread::sleep(Duration::from_millis(100)); // "they will be ready by then"
    for pid in old {
        let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL); // "they are idle by now"
    }
}

/// A worker's life. It counts as ready when `serve_http` accepts, and not before.
async fn serve(worker: Worker) -> Result<()> {
    let version: Arc<str> = version().into();
    match version.rsplit('-').next() {
        Some("slow") => tokio::time::sleep(WARM_UP).await, // fills a cache, connects to a database
        Some("stuck") => pending().await,
        Some("broken") => return Err("this version has a mistake in its settings".into()),
        _ => {}
    }
    let service = service_fn(move |request| answer(request, Arc::clone(&version)));
    Ok(worker.serve_http(service).await?)
}

async fn answer(
    request: Request<Incoming>,
    version: Arc<str>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let pid = process::id();
    Ok(match request.uri().path() {
        "/" => text(StatusCode::OK, format!("Hello from worker {pid}\n")),
        "/version" => text(StatusCode::OK, format!("version {version} in worker {pid}\n")),
        "/slow" => {
            let ms = http::slow(&request).await;
            text(StatusCode::OK, format!("version {version} in worker {pid} took {ms} ms\n"))
        }
        _ => text(StatusCode::NOT_FOUND, "try /, /version, or /slow?ms=3000\n"),
    })
}
