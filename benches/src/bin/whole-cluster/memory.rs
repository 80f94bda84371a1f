//! Memory that one worker more adds.

use cluster::Result;

use super::bare::Bare;
use super::server::Server;
use super::table::{Row, Target};
use super::{clients, process};

const SIZES: [u32; 3] = [1, 4, 8];

/// A worker has answered about so many requests when it is weighed.
const REQUESTS: usize = 200;

/// Servers of several sizes, and as many bare processes: what counts is the slope.
pub fn measure() -> Result<Vec<Row>> {
    let worker = slope(&SIZES.map(f64::from), &each(cluster)?);
    let process = slope(&SIZES.map(f64::from), &each(bare)?);
    Ok(vec![Row {
        name: "memory",
        measured: format!("{worker:.0} KiB for each worker more"),
        compared: format!("{process:.0} KiB for each bare process more"),
        ratio: worker / process,
        target: Target::Is { what: "at most 1 MiB", met: worker <= 1024.0 },
    }])
}

fn each(memory: fn(u32) -> Result<f64>) -> Result<Vec<f64>> {
    SIZES.into_iter().map(memory).collect()
}

fn cluster(workers: u32) -> Result<f64> {
    let workers = workers as usize;
    let server = Server::start(workers, &[])?;
    clients::send(server.address, REQUESTS * workers)?;
    process::memory(server.pids())
}

fn bare(count: u32) -> Result<f64> {
    let all = (0..count).map(|_| Bare::start()).collect::<Result<Vec<_>>>()?;
    process::memory(all.iter().map(Bare::pid))
}

/// By least squares: what one more adds.
fn slope(xs: &[f64], ys: &[f64]) -> f64 {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / SIZES.map(|_| 1.0).iter().sum::<f64>();
    let (x, y) = (mean(xs), mean(ys));
    let both = xs.iter().zip(ys).map(|(a, b)| (a - x) * (b - y)).sum::<f64>();
    both / xs.iter().map(|a| (a - x).powi(2)).sum::<f64>()
}
