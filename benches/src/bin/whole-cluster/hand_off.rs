//! Fresh connections: the primary accepts and hands them over, or the workers share the listener.

use std::time::{Duration, Instant};

use benches::median;
use cluster::Result;

use super::server::Server;
use super::table::{Row, Target};
use super::{clients, process};

const WORKERS: usize = 2;

/// Runs the same clients against both, in turn. The ratio is the median over the pairs of rounds: the
/// machine's other load hardly changes within a pair.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let (rounds, time) = if quick { (3, 200) } else { (60, 250) };
    let time = Duration::from_millis(time);
    let (mut handed, mut shared) = (Way::new("hand-off")?, Way::new("inherited")?);
    handed.round(time)?;
    shared.round(time)?;
    (handed.rounds, shared.rounds) = Default::default(); // that was for warming up
    for _ in 0..rounds {
        handed.round(time)?;
        shared.round(time)?;
    }
    let pairs = handed.rounds.iter().zip(&shared.rounds);
    let ratio = median(pairs.map(|(handed, shared)| handed.rate / shared.rate).collect());
    Ok(vec![Row {
        name: "hand-off",
        measured: format!("{} handed over", handed.medians()),
        compared: format!("{} from a shared listener", shared.medians()),
        ratio,
        target: Target::Is { what: "at least 0.85", met: ratio >= 0.85 },
    }])
}

/// A server, and its measurements.
struct Way {
    server: Server,
    rounds: Vec<Round>,
}

struct Round {
    /// Answers per second.
    rate: f64,
    /// Processor time of all its processes for one connection, in microseconds.
    cost: f64,
}

impl Way {
    fn new(sharing: &str) -> Result<Self> {
        let server = Server::start(WORKERS, &[("CLUSTER_SHARING", sharing)])?;
        Ok(Self { server, rounds: Vec::new() })
    }

    fn round(&mut self, time: Duration) -> Result<()> {
        let pids = self.server.pids();
        let (begun, used) = (Instant::now(), process::cpu(&pids)?);
        let answers = f64::from(clients::send_for(self.server.address, time)?);
        let (took, used) = (begun.elapsed(), process::cpu(&pids)?.saturating_sub(used));
        let rate = answers / took.as_secs_f64();
        self.rounds.push(Round { rate, cost: used.as_secs_f64() * 1e6 / answers });
        Ok(())
    }

    fn medians(&self) -> String {
        let rate = median(self.rounds.iter().map(|round| round.rate).collect());
        let cost = median(self.rounds.iter().map(|round| round.cost).collect());
        format!("{rate:.0}/s ({cost:.0} µs CPU)")
    }
}
