//! Fresh connections: the primary accepts and hands over, or the workers share the listener.

use std::time::{Duration, Instant};

use benches::median;
use cluster::Result;

use super::server::Server;
use super::table::{Row, Target};
use super::{clients, process};

const WORKERS: usize = 2;

/// The same clients against both, in turns.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let (rounds, time) = if quick { (3, 200) } else { (31, 500) };
    let time = Duration::from_millis(time);
    let (mut handed, mut shared) = (Way::new("hand-off")?, Way::new("inherited")?);
    for round in 0..=rounds {
        for way in [&mut handed, &mut shared] {
            way.round(time, round > 0)?; // the first is for warming up
        }
    }
    let ([handed, its_cost], [shared, cost]) = (handed.medians(), shared.medians());
    let ratio = handed / shared;
    Ok(vec![Row {
        name: "hand-off",
        measured: format!("{handed:.0}/s handed over, {its_cost:.0} µs each"),
        compared: format!("{shared:.0}/s from a shared listener, {cost:.0} µs each"),
        ratio,
        target: Target::Is { what: "at least 0.85", met: ratio >= 0.85 },
    }])
}

/// A server, and what was measured of it.
struct Way {
    server: Server,
    /// Answers per second.
    rates: Vec<f64>,
    /// Processor time of all its processes for one connection, in microseconds.
    costs: Vec<f64>,
}

impl Way {
    fn new(sharing: &str) -> Result<Self> {
        let server = Server::start(WORKERS, &[("CLUSTER_SHARING", sharing)])?;
        Ok(Self { server, rates: Vec::new(), costs: Vec::new() })
    }

    fn round(&mut self, time: Duration, counts: bool) -> Result<()> {
        let pids = self.server.pids();
        let (begun, used) = (Instant::now(), process::cpu(&pids)?);
        let answers = f64::from(clients::send_for(self.server.address, time)?);
        let (took, used) = (begun.elapsed(), process::cpu(&pids)?.saturating_sub(used));
        if counts {
            self.rates.push(answers / took.as_secs_f64());
            self.costs.push(used.as_secs_f64() * 1e6 / answers);
        }
        Ok(())
    }

    fn medians(self) -> [f64; 2] {
        [self.rates, self.costs].map(median)
    }
}
