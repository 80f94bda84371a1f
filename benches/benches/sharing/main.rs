//! The cost of one increment of a counter that several processes share.
//!
//! ```console
//! $ cargo bench -p benches --bench sharing
//! $ REDIS_SERVER_BIN=$(tools/redis-server) cargo bench -p benches --bench sharing
//! ```
//!
//! The bench is a cluster of two workers. One of them measures: a variable of its own, which is not
//! shared; an atomic in shared memory, alone, and while the other worker counts as fast as it can, in
//! the same counter, in its neighbour (eight bytes further, and so in the same cache line), or two lines
//! away; a question to the primary, which keeps the counter and answers; and Redis, which does the same
//! for many machines. The client of Redis is bare, so that only the trips are measured. The other worker
//! counts only while it has a processor: if other processes need the processors, those rows show too
//! little (`nice -n -15`, as root, gets one for each worker). First comes a table over rounds in which
//! all take turns, with the ratio to the shared atomic, then Criterion's view.
//!
//! If no Redis server is found, its rows are left out, and a line says so; with
//! `WORKBOOK_NEEDS_REDIS=1`, as in `./test.sh`, that is an error.

mod redis;
mod rival;

use std::env;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use benches::median;
use cluster::config::LogFormat;
use cluster::primary::{Event, Events, Handle};
use cluster::shared::Shared;
use cluster::supervisor::SlotId;
use cluster::{Cluster, Config, Result, Worker};
use criterion::Criterion;
use tokio::sync::{mpsc, oneshot};

use rival::Target;

/// Words of shared memory: a few cache lines.
const WORDS: NonZeroUsize = NonZeroUsize::new(64).expect("it is positive");

/// The counter that is measured.
const COUNTER: usize = 0;

/// The time that the primary may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The number of increments that are sent to Redis at once in a pipeline.
const AT_ONCE: u64 = 100;

fn main() -> Result<()> {
    let config = Config::builder().listen("127.0.0.1:0").workers(2).log_format(LogFormat::Off);
    Cluster::new(config.build()?)
        .shared(WORDS)
        .watch(|events, cluster| primary(events, &cluster))
        .run(work)
}

/// Keeps the counter, and stops the cluster when everything has been measured.
fn primary(events: Events, cluster: &Handle) {
    let mut counter = 0_u64;
    for event in events {
        match event {
            Event::Asked(_, _, answer) => {
                counter += 1;
                let _ = answer.send(&counter); // the worker may be gone
            }
            Event::Message(..) => drop(cluster.stop()),
            // After any error: half a measurement is worthless.
            Event::Exited { voluntary: false, .. } => std::process::exit(1),
            _ => {}
        }
    }
}

async fn work(worker: Worker) -> Result<()> {
    let _open = worker.arrivals("default").await?; // now the worker is ready
    let shared = worker.shared()?;
    if worker.slot() != SlotId(0) {
        thread::spawn(move || rival::count(&shared));
        worker.draining().await;
        return Ok(());
    }
    let (to_primary, mut orders) = mpsc::unbounded_channel();
    let measuring = thread::spawn(move || measure(&shared, &to_primary));
    while let Some(Trips { count, took }) = orders.recv().await {
        let begun = Instant::now();
        for _ in 0..count {
            let counter: u64 = worker.request(&"increment", LIMIT).await?;
            black_box(counter);
        }
        let _ = took.send(begun.elapsed()); // it waits
    }
    if measuring.join().is_err() {
        std::process::exit(1); // the error has been printed
    }
    worker.tell(&"done").await?;
    worker.draining().await;
    Ok(())
}

/// An order to measure `count` questions to the primary, in the task that may send them.
struct Trips {
    count: u64,
    took: oneshot::Sender<Duration>,
}

/// One way to count: its name, the increments in a round, and the function that does them and returns
/// the time that they took.
struct Way<'a> {
    name: &'static str,
    round: u64,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
}

fn measure(shared: &Shared, to_primary: &mpsc::UnboundedSender<Trips>) {
    let smoke = !env::args().any(|arg| arg == "--bench");
    let server = lab::RedisServer::for_test();
    let mut ways = in_memory(shared);
    ways.push(by_message(to_primary));
    match &server {
        Ok(server) => {
            ways.extend(redis::ways(server).expect("the server that was just started answers"));
        }
        Err(missing) => eprintln!("skipped: {missing}"),
    }
    table(&mut ways, smoke);
    criterion(&mut ways, &mut Criterion::default().configure_from_args());
}

fn in_memory(shared: &Shared) -> Vec<Way<'_>> {
    let local = |n| {
        let begun = Instant::now();
        let counted = (0..n).fold(0_u64, |counter, _| black_box(counter) + 1);
        black_box(counted);
        begun.elapsed()
    };
    let beside = |name, target| {
        let run = move |n| {
            rival::wants(shared, target);
            let begun = Instant::now();
            (0..n).for_each(|_| _ = shared[COUNTER].fetch_add(1, Relaxed));
            let took = begun.elapsed();
            rival::wants(shared, Target::Nothing);
            took
        };
        Way { name, round: 1_000_000, run: Box::new(run) }
    };
    vec![
        Way { name: "a variable of its own, not shared", round: 1_000_000, run: Box::new(local) },
        beside(ATOMIC, Target::Nothing),
        beside("the same, another process counts far away", Target::Far),
        beside("the same, another process in the same line", Target::Neighbour),
        beside("the same, another process in the same counter", Target::Same),
    ]
}

/// The way to which all others are compared.
const ATOMIC: &str = "an atomic in shared memory";

fn by_message(to_primary: &mpsc::UnboundedSender<Trips>) -> Way<'_> {
    let run = move |count| {
        let (took, measured) = oneshot::channel();
        let _ = to_primary.send(Trips { count, took });
        measured.blocking_recv().expect("the primary answers")
    };
    Way { name: "a question to the primary", round: 500, run: Box::new(run) }
}

/// Prints medians over rounds in which all take turns: a busy machine is busy for all of them.
fn table(ways: &mut [Way<'_>], smoke: bool) {
    let rounds = if smoke { 1 } else { 31 };
    let mut took = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (way, took) in ways.iter_mut().zip(&mut took) {
            let count = if smoke { AT_ONCE } else { way.round };
            // Casts: the numbers are far below the point where an f64 can no longer hold every integer.
            #[allow(clippy::cast_precision_loss)]
            took.push((way.run)(count).as_secs_f64() * 1e9 / count as f64);
        }
    }
    let each: Vec<f64> = took.into_iter().map(median).collect();
    let atomic =
        ways.iter().zip(&each).find(|(way, _)| way.name == ATOMIC).map_or(f64::NAN, |it| *it.1);
    println!("{:<50}{:>12}   ratio to the shared atomic", "one increment:", "nanoseconds");
    for (way, ns) in ways.iter().zip(each) {
        println!("  {:<48}{ns:>12.1} {:>9.1}", way.name, ns / atomic);
    }
    println!();
}

fn criterion(ways: &mut [Way<'_>], criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sharing");
    for way in ways {
        group.bench_function(way.name, |bencher| bencher.iter_custom(&mut way.run));
    }
    group.finish();
}
