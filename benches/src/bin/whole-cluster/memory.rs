//! Memory that one more worker adds.

use cluster::Result;

use super::bare::Bare;
use super::server::Server;
use super::table::{Row, Target};
use super::{clients, process};

const SIZES: [u32; 3] = [1, 4, 8];

/// The approximate number of requests that a worker has answered when its memory is measured again.
const REQUESTS: usize = 200;

/// Measures servers of several sizes, and the same numbers of bare processes: the result is the slope.
pub fn measure() -> Result<Vec<Row>> {
    let (mut idle, mut used, mut bare) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    for (i, &size) in SIZES.iter().enumerate() {
        [idle[i], used[i]] = cluster(size)?;
        bare[i] = processes(size)?;
    }
    let [idle, used, bare] = [idle, used, bare].map(slope);
    Ok(vec![Row {
        name: "memory of a worker",
        measured: format!("{idle:.0} KiB idle, {used:.0} after {REQUESTS} requests"),
        compared: format!("{bare:.0} KiB of a bare process"),
        ratio: idle / bare,
        target: Target::Is { what: "at most 1 MiB", met: idle <= 1024.0 },
    }])
}

/// Memory of a server before and after it has answered requests, in KiB.
fn cluster(workers: u32) -> Result<[f64; 2]> {
    let workers = workers as usize;
    let server = Server::start(workers, &[])?;
    let idle = process::memory(server.pids())?;
    clients::send(server.address, REQUESTS * workers)?;
    Ok([idle, process::memory(server.pids())?])
}

fn processes(count: u32) -> Result<f64> {
    let all = (0..count).map(|_| Bare::start()).collect::<Result<Vec<_>>>()?;
    process::memory(all.iter().map(Bare::pid))
}

/// The memory that one more process adds, by least squares.
fn slope(memory: [f64; 3]) -> f64 {
    let sizes = SIZES.map(f64::from);
    let mean = |of: [f64; 3]| of.iter().sum::<f64>() / 3.0;
    let (x, y) = (mean(sizes), mean(memory));
    let both = sizes.iter().zip(memory).map(|(a, b)| (a - x) * (b - y)).sum::<f64>();
    both / sizes.iter().map(|a| (a - x).powi(2)).sum::<f64>()
}
