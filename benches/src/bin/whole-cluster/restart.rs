//! From SIGKILL to a worker until its replacement is ready.

use std::thread::sleep;
use std::time::{Duration, Instant};

use benches::quantile;
use cluster::{Error, Result};

use super::bare::Bare;
use super::clients;
use super::server::{Server, murder};
use super::table::{Row, Target};

/// The time between two kills: the cluster is idle again, and the worker's death is not an early one.
const PAUSE: Duration = Duration::from_millis(100);
const MIN_UPTIME: &str = "20ms";

/// Kills a worker and a bare process in turn. The cluster replaces the first, this program the second.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let kills = if quick { 5 } else { 50 };
    let mut server = Server::start(1, &[("WORKER_MIN_UPTIME", MIN_UPTIME)])?;
    let mut bare = Bare::start()?;
    let (mut ready, mut answered, mut by_hand) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..kills {
        sleep(PAUSE);
        let times = kill_worker(&mut server)?;
        ready.push(times[0]);
        answered.push(times[1]);
        sleep(PAUSE);
        by_hand.push(kill_bare(&mut bare)?);
    }
    let quantiles = |times: &[f64]| [0.5, 0.9].map(|part| quantile(times.to_vec(), part));
    let ([ready, slow], [answered, _]) = (quantiles(&ready), quantiles(&answered));
    let [by_hand, slow_by_hand] = quantiles(&by_hand);
    Ok(vec![Row {
        name: "crash to ready",
        measured: format!("{ready:.1} ms (p90 {slow:.1}), to an answer {answered:.1}"),
        compared: format!("{by_hand:.1} ms (p90 {slow_by_hand:.1}) for a bare process"),
        ratio: ready / by_hand,
        target: Target::Is { what: "at most 10 ms", met: ready <= 10.0 },
    }])
}

/// Milliseconds until the replacement accepts connections, and until it has answered a request.
fn kill_worker(server: &mut Server) -> Result<[f64; 2]> {
    let victim = server.workers.pop().ok_or_else(|| Error::new("there is no worker to kill"))?;
    let begun = Instant::now();
    murder(victim)?;
    server.wait_for("listening")?;
    let ready = begun.elapsed();
    let answered_by = clients::ask(server.address)?;
    let answered = begun.elapsed();
    let replacement = server.workers.last().map(u32::to_string);
    if replacement.as_ref() != Some(&answered_by) {
        return Err(Error::new(format!("{answered_by} answered, and not {replacement:?}")));
    }
    Ok([ready, answered].map(milliseconds))
}

/// Milliseconds until another process, started by hand, prints that it is running.
fn kill_bare(bare: &mut Bare) -> Result<f64> {
    let begun = Instant::now();
    murder(bare.pid())?;
    bare.wait()?;
    *bare = Bare::start()?;
    Ok(milliseconds(begun.elapsed()))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
