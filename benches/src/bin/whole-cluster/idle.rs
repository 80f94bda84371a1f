//! Processor time of an idle cluster.

use std::thread::sleep;
use std::time::{Duration, Instant};

use cluster::Result;
use cluster::channel::frame;
use cluster::channel::message::ToPrimary;
use cluster::metrics::Metrics;
use cluster::supervisor::{Policy, Vitals};

use super::bare::Bare;
use super::process;
use super::server::Server;
use super::table::{Row, Target};

const WORKERS: u32 = 100;

/// The time after which the start is over and the first reports have been sent.
const SETTLE: Duration = Duration::from_secs(3);

/// Measures with default settings. Meanwhile a bare process reads as many reports from a pipe.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let time = Duration::from_secs(if quick { 3 } else { 30 });
    let server = Server::start(WORKERS as usize, &[])?;
    let mut bare = Bare::start()?;
    sleep(SETTLE);
    let groups = [vec![server.primary()], server.workers.clone(), vec![bare.pid()]];
    let used = || groups.iter().map(|pids| process::cpu(pids)).collect::<Result<Vec<_>>>();
    let (begun, before) = (Instant::now(), used()?);
    report(&mut bare, time)?;
    let (took, after) = (begun.elapsed(), used()?);
    let percent: Vec<f64> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| {
            after.saturating_sub(*before).as_secs_f64() / took.as_secs_f64() * 100.0
        })
        .collect();
    let [primary, workers, reader] = [percent[0], percent[1], percent[2]];
    Ok(vec![Row {
        name: "idle, 100 workers",
        measured: format!("primary {primary:.3} %, all workers {workers:.2} %"),
        compared: format!("{reader:.3} % for a process that reads as much"),
        ratio: primary / reader,
        target: Target::Is { what: "at most 0.2 %", met: primary <= 0.2 },
    }])
}

/// Sends a bare process the reports that all workers send to a primary in this time.
fn report(bare: &mut Bare, time: Duration) -> Result<()> {
    let snapshot = Box::new(Metrics::default().snapshot());
    let report = frame::encode(&ToPrimary::Heartbeat(Vitals::default(), Some(snapshot)))?;
    let heartbeat = Policy::default().heartbeat.unwrap_or(time);
    let begun = Instant::now();
    while begun.elapsed() < time {
        sleep(heartbeat / WORKERS);
        bare.write(&report)?;
    }
    Ok(())
}
