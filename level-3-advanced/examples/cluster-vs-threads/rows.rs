//! The rows of `--measure`: what is measured of one running service, in this order.

use std::thread;
use std::time::Instant;

use lab::{Result, Service, proc};
use load::{Pace, Report};

use crate::Architecture;
use crate::measure::load;

/// A figure of an architecture.
pub struct Row {
    pub name: &'static str,
    pub unit: &'static str,
    pub more_is_better: bool,
}

const fn more(name: &'static str, unit: &'static str) -> Row {
    Row { name, unit, more_is_better: true }
}

const fn less(name: &'static str, unit: &'static str) -> Row {
    Row { name, unit, more_is_better: false }
}

pub const ROWS: [Row; 12] = [
    less("start to first answer", "ms"),
    less("memory, idle", "KiB (PSS of all processes)"),
    more("quick requests, closed loop", "per second"),
    less("quick requests, closed loop, p99", "ms"),
    less("CPU per quick request", "µs"),
    less("quick requests, open loop at 2000/s, p50", "ms"),
    less("quick requests, open loop at 2000/s, p99", "ms"),
    more("a shared count, closed loop", "per second"),
    more("waits of 5 ms for a backend, closed loop", "per second"),
    more("computations of 20 ms", "per second"),
    less("quick request while 4 clients compute, p90", "ms"),
    less("memory, after all that", "KiB (PSS of all processes)"),
];

pub const START: usize = 0;
pub const MEMORY: usize = 1;
pub const THROUGHPUT: usize = 2;
pub const BACKEND: usize = 8;
pub const COMPUTE: usize = 9;
pub const QUICK_BESIDE_HEAVY: usize = 10;

/// Clients of the closed loops.
const CLIENTS: usize = 32;

/// Measures all rows on a service of its own.
pub fn measure(architecture: Architecture) -> Result<Vec<f64>> {
    let backend = Architecture::OneThread.start()?;
    let begin = Instant::now();
    let mut service = architecture.start_before(backend.address())?;
    service.get("/")?;
    let started = begin.elapsed();
    let pids = [vec![service.primary()], service.workers()?].concat();
    let idle = memory(&pids)?;

    let used = proc::cpu(&pids)?;
    let quick = load(&service, "/", CLIENTS, Pace::Closed, 2)?;
    let used = proc::cpu(&pids)?.saturating_sub(used);
    let open = load(&service, "/", CLIENTS, Pace::Open { rate: 2000.0 }, 2)?;
    let count = load(&service, "/count", CLIENTS, Pace::Closed, 1)?;
    let waits = load(&service, "/backend?ms=5", CLIENTS, Pace::Closed, 1)?;
    let compute = load(&service, "/compute?ms=20", 8, Pace::Closed, 2)?;
    let beside = beside_heavy(&service)?;
    Ok(vec![
        milliseconds(started.as_secs_f64()),
        idle,
        quick.requests_per_second,
        percentile(&quick, "p99"),
        used.as_secs_f64() * 1e6 / answers(&quick),
        percentile(&open, "p50"),
        percentile(&open, "p99"),
        count.requests_per_second,
        waits.requests_per_second,
        compute.requests_per_second,
        percentile(&beside, "p90"),
        memory(&pids)?,
    ])
}

/// Quick requests at a slow pace, while other clients compute.
fn beside_heavy(service: &Service) -> Result<Report> {
    thread::scope(|scope| {
        let heavy = scope.spawn(|| load(service, "/compute?ms=20", 4, Pace::Closed, 3).map(drop));
        let quick = load(service, "/", 32, Pace::Open { rate: 100.0 }, 2);
        heavy.join().map_err(|_| "the heavy clients have panicked")??;
        quick
    })
}

fn percentile(report: &Report, name: &str) -> f64 {
    report.latency.as_ref().map_or(f64::NAN, |latency| milliseconds(latency.percentiles[name]))
}

fn milliseconds(seconds: f64) -> f64 {
    seconds * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "answers are below 2^53")]
fn answers(report: &Report) -> f64 {
    report.answered as f64
}

/// The memory of these processes, in KiB.
fn memory(pids: &[i32]) -> Result<f64> {
    let mut bytes = 0;
    for pid in pids {
        bytes += proc::pss(*pid)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "memory is below 2^53 bytes")]
    Ok((bytes / 1024) as f64)
}
