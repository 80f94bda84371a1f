//! Throughput over the number of workers: `cluster` against threads, and bare processes as the ceiling.
//!
//! There is a group for each kind of work: CPU-bound (5 ms of CPU time per request), I/O-bound and
//! asynchronous, I/O-bound and blocking (10 ms of waiting). Each group has 1, 2, … workers up to the
//! number of cores, and twice as many; worker *i* is pinned to core *i*. Criterion prints the time per
//! request of all clients together, and its inverse, the throughput. The clients are the same for any
//! number of workers. A table of their own CPU time comes last: it is not the servers', and on a small
//! machine it takes a share of their cores.
//!
//! ```console
//! $ cargo bench -p benches --bench scaling
//! ```
//!
//! The binary of the same name does it with whole runs under `load`, and reports what follows.

use std::env;
use std::hint::black_box;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::rivals::{Bare, Rival, Server, Work, cores, play};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use lab::raw::Client;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// CPU time of a calculation. It is short, so that the end of a sample, where some workers have
/// nothing left to do, is a small part of it.
const CPU_TIME: Duration = Duration::from_millis(5);
const WAIT: Duration = Duration::from_millis(10);
/// The time for which bare processes run in each sample.
const BARE_TIME: Duration = Duration::from_millis(500);

/// The CPU time of the clients of one measurement.
struct Share {
    name: String,
    of_core: f64,
}

fn main() -> ExitCode {
    if let Some(code) = play() {
        return code; // this process is one of the rivals
    }
    let smoke = !env::args().any(|arg| arg == "--bench");
    let mut criterion = Criterion::default().configure_from_args();
    let kinds = [
        ("CPU-bound", Work::compute(if smoke { CPU_TIME / 5 } else { CPU_TIME })),
        ("I/O-bound, async", Work::Wait(WAIT)),
        ("I/O-bound, blocking", Work::Block(WAIT)),
    ];
    let cores = cores().expect("the kernel lists the cores").len();
    let mut shares = Vec::new();
    for (name, work) in kinds {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(1));
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
        for workers in (1..=cores).chain([2 * cores]) {
            if matches!(work, Work::Compute { .. }) {
                bare(&mut group, work, workers);
            }
            for rival in [Rival::Cluster, Rival::Threads] {
                let share = served(&mut group, rival, work, workers, 4 * cores);
                shares.extend(share.map(|of_core| Share {
                    name: format!("{name}, {rival:?}, {workers}"),
                    of_core,
                }));
            }
        }
        group.finish();
    }
    if !smoke {
        print(&shares);
    }
    ExitCode::SUCCESS
}

/// The ceiling. Bare processes run for a time and not for a number of works, so the time of `n` works
/// follows from their rate.
fn bare(group: &mut BenchmarkGroup<WallTime>, work: Work, workers: usize) {
    group.bench_function(BenchmarkId::new("bare", workers), |bencher| {
        bencher.iter_custom(|n| {
            let rate = Bare::works_per_second(work, workers, BARE_TIME).expect("they only work");
            #[allow(clippy::cast_precision_loss, reason = "a sample has few works")]
            Duration::from_secs_f64(n as f64 / rate)
        });
    });
}

/// A server under `clients` clients; returns the CPU time of the clients, as a part of one core, unless
/// a filter has left this measurement out.
fn served(
    group: &mut BenchmarkGroup<WallTime>,
    rival: Rival,
    work: Work,
    workers: usize,
    clients: usize,
) -> Option<f64> {
    let name = match rival {
        Rival::Cluster => "cluster",
        Rival::Threads => "threads",
    };
    let (mut used, mut total) = (Duration::ZERO, Duration::ZERO);
    let mut running = None; // only a measurement that is not filtered out needs a server
    group.bench_function(BenchmarkId::new(name, workers), |bencher| {
        let (connections, _) = running.get_or_insert_with(|| {
            let server = Server::start(rival, work, workers).expect("it starts");
            (connect(server.address(), clients), server)
        });
        bencher.iter_custom(|n| {
            let (before, begin) = (cpu_time(), Instant::now());
            send(connections, n);
            let took = begin.elapsed();
            used += cpu_time().saturating_sub(before);
            total += took;
            took
        });
    });
    (!total.is_zero()).then(|| used.as_secs_f64() / total.as_secs_f64())
}

/// Connects all clients, one after the other, so that a strategy that takes turns deals them evenly.
fn connect(address: SocketAddr, clients: usize) -> Vec<Client> {
    let address = address.to_string();
    (0..clients).map(|_| Client::connect(&address).expect("the server accepts")).collect()
}

/// Sends `n` requests over all connections: each client takes the next one when it has its answer.
fn send(connections: &mut [Client], n: u64) {
    let taken = AtomicU64::new(0);
    thread::scope(|scope| {
        for client in connections {
            let taken = &taken;
            scope.spawn(move || {
                while taken.fetch_add(1, Ordering::Relaxed) < n {
                    black_box(client.get("/").expect("an answer"));
                }
            });
        }
    });
}

/// CPU time of this process in user and kernel mode: of the clients.
fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("our own");
    [usage.user_time(), usage.system_time()].into_iter().map(duration).sum()
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()).unsigned_abs())
}

fn print(shares: &[Share]) {
    println!("CPU time of the clients, as a part of one core:");
    for Share { name, of_core } in shares {
        println!("  {name:<36} {:>6.1} %", 100.0 * of_core);
    }
}
