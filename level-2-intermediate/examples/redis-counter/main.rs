//! One counter, three ways: a variable in each process, memory that all workers on a machine share,
//! and Redis, which many machines can share.
//!
//! ```console
//! $ cargo run -p level-2 --example redis-counter -- --workers 4
//! $ for i in $(seq 20); do curl -s http://127.0.0.1:8000/increment > /dev/null; done
//! $ curl http://127.0.0.1:8000/counter
//! ```
//!
//! Look for: each request was counted in every way, and `process` shows a fraction of them, a different
//! one in each worker. Then `kill -9` a worker: its own variable is gone, and nothing else. The lines
//! `load-store` and `get-set` are wrong versions of the second and the third way, which lose counts as
//! soon as requests arrive at the same time. `/increment?in=memory,redis` counts only in those two.
//!
//! Redis is the server at `--redis URL`, or one that this program starts for itself if the machine has
//! `redis-server` or `valkey-server`; without one only the first two ways work.

mod clients;
mod counters;
mod demo;
mod memory;
mod process;
mod remote;

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use cluster::config::Sharing;
use cluster::http::{
    Bytes, Full, Incoming, Method, Request, Response, StatusCode, service_fn, text,
};
use cluster::primary::{Event, Events};
use cluster::{Cluster, Config, Worker, is_worker};
use lab::args::{self, Common};
use lab::{RedisServer, Result, say};
use level_2::story::Story;
use level_2::{http, settings};

use counters::{Counters, WAYS};
use remote::{Lost, Remote};

/// One counter, three ways: a variable per process, shared memory, Redis
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The Redis to count in, such as `redis://127.0.0.1/`; by default one is started: the program that
    /// `REDIS_SERVER_BIN` names (tools/redis-server prints one), or else redis-server or valkey-server
    /// on the PATH
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true)]
    redis: Option<String>,
    /// The prefix of the keys in Redis
    #[arg(long, value_name = "NAME", default_value = "redis-counter")]
    prefix: String,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// Shared memory is read and then written, instead of one atomic addition
    LoadStore,
    /// The number is read from Redis and the next one written, instead of one INCR
    GetSet,
    /// Requests wait while the client of Redis tries to reconnect
    Patient,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo {
        demo::play(args.redis.as_deref(), args.wrong)
    } else {
        run(args)
    })
}

fn run(args: Args) -> Result<()> {
    // Workers share their connections evenly, so that each has a part of the count.
    let config = Config::builder().sharing(Sharing::HandOff);
    let config = settings::complete(config, &args.common)?;
    // Only the primary looks for a Redis. A server of its own exits when this function returns.
    let (url, own) = if is_worker() { (None, None) } else { find_redis(&args)? };
    Cluster::new(config)
        .shared(memory::WORDS)
        .watch(move |events, _| primary(events, url.as_deref(), own))
        .run(async move |worker| serve(worker, args).await)?;
    Ok(())
}

fn find_redis(args: &Args) -> Result<(Option<String>, Option<RedisServer>)> {
    if let Some(url) = &args.redis {
        let (place, _) = remote::connect(url)?; // its address was given, so it must answer
        say!("primary: counts in the Redis at {place}");
        return Ok((Some(url.clone()), None));
    }
    let Some(program) = RedisServer::find() else {
        say!("primary: no Redis available (see --help), so two ways are left");
        return Ok((None, None));
    };
    let server = RedisServer::start(&program)?;
    let name = program.file_name().unwrap_or_default().display();
    say!("primary: started a Redis for itself, {name} with pid {}", server.pid());
    Ok((Some(server.url()), Some(server)))
}

/// The primary's part: it reports events, and answers the one question of the workers. A worker that
/// asks may have lost Redis, so this is the time to look after a server of our own.
fn primary(events: Events, redis: Option<&str>, mut own: Option<RedisServer>) {
    let mut story = Story::default();
    for event in events {
        story.tell(&event);
        if let Event::Asked(_, _, answer) = event {
            own = own.and_then(look_after);
            let _ = answer.send(&redis); // it fails only after the cluster has stopped
        }
    }
}

/// Reaps our server if it has ended, as every parent must, and starts an empty one.
fn look_after(mut server: RedisServer) -> Option<RedisServer> {
    match server.revive() {
        Ok(false) => {}
        Ok(true) => say!("primary: its Redis has ended; the next one has pid {}", server.pid()),
        Err(error) => {
            say!("primary: its Redis has ended, and cannot be started again: {error}");
            return None;
        }
    }
    Some(server)
}

async fn serve(worker: Worker, args: Args) -> Result<()> {
    let redis = remote::ask_where(&worker).await?;
    let patient = args.wrong == Some(Wrong::Patient);
    let open = |url: String| Remote::open(&url, args.prefix, patient, worker.clone());
    let (memory, redis) = (memory::Memory(worker.shared()?), redis.map(open).transpose()?);
    let counters = Arc::new(Counters { memory, redis, wrong: args.wrong });
    let service = service_fn(move |request| answer(request, Arc::clone(&counters)));
    Ok(worker.serve_http(service).await?)
}

async fn answer(
    request: Request<Incoming>,
    counters: Arc<Counters>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let pid = std::process::id();
    let increments = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => {
            return Ok(text(StatusCode::OK, format!("Hello from worker {pid}\n")));
        }
        (&Method::GET | &Method::POST, "/increment") => true,
        (&Method::GET, "/counter") => false,
        _ => {
            return Ok(text(StatusCode::NOT_FOUND, "try /, /increment, /counter, or ?in=memory\n"));
        }
    };
    let ways = counters.ways(http::parameter(&request, "in"));
    if ways.is_empty() {
        return Ok(text(StatusCode::BAD_REQUEST, format!("in= is any of {}\n", WAYS.join(","))));
    }
    let mut lines = Vec::new();
    for way in ways {
        let counted =
            if increments { counters.increment(way).await } else { counters.value(way).await };
        match counted {
            Ok(number) => lines.push(format!("{way:<12}{number}\n")),
            Err(Lost(why)) => {
                let sentence = format!("worker {pid}: {why}\n");
                return Ok(text(StatusCode::SERVICE_UNAVAILABLE, sentence));
            }
        }
    }
    lines.reverse();
    Ok(text(StatusCode::OK, format!("worker {pid}\n{}", lines.concat())))
}
