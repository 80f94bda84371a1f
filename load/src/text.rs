//! The report of a run, as text.

use std::fmt::{self, Display, Formatter};

use crate::report::{Interval, Latency, PERCENTILES, Paced, Report};

/// A generator that uses more of one core than this may be slower than the server.
const BUSY: f64 = 0.9;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.url)?;
        self.how(f)?;
        self.counts(f)?;
        match &self.latency {
            Some(latency) => latency.fmt(f)?,
            None => writeln!(f, "latency      none: no request got a good answer")?,
        }
        self.intervals(f)?;
        self.causes(f)?;
        self.generator(f)
    }
}

impl Report {
    fn how(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = if self.fresh { "a fresh one per request" } else { "kept alive" };
        let pace = match self.paced {
            Paced::Closed => "closed loop".to_owned(),
            Paced::Open { rate, .. } => format!("open loop at {rate}/s"),
        };
        writeln!(f, "{pace}, {} connections, {kind}, {:.1} s", self.connections, self.seconds)
    }

    fn counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nthroughput   {:.0} requests/s", self.requests_per_second)?;
        if let Paced::Open { planned, dropped, .. } = self.paced {
            writeln!(f, "planned      {planned} = {} sent + {dropped} dropped", self.sent)?;
        }
        write!(f, "sent         {} = {} answered + {} lost", self.sent, self.answered, self.lost)?;
        if self.unfinished > 0 {
            write!(f, " + {} unfinished", self.unfinished)?;
        }
        writeln!(f)
    }

    fn intervals(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:>15} {:>12} {:>8}", "seconds", "requests/s", "lost")?;
        for interval in &self.intervals {
            let Interval { from, to, answered, requests_per_second, lost } = interval;
            if *from < self.seconds {
                let span = format!("{from:.1} to {to:.1}");
                writeln!(f, "{span:>15} {requests_per_second:>12.0} {lost:>8}")?;
            } else {
                let answers = format!("{answered} in all");
                writeln!(f, "{:>15} {answers:>12} {lost:>8}", "after the end")?;
            }
        }
        Ok(())
    }

    fn causes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.losses.is_empty() {
            writeln!(f, "\n{:>8}  cause", "lost")?;
        }
        for losses in &self.losses {
            write!(f, "{:>8}  {}, ", losses.count, losses.cause)?;
            writeln!(f, "from {:.3} s to {:.3} s", losses.first, losses.last)?;
        }
        Ok(())
    }

    fn generator(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.cpu.share_of_machine;
        write!(f, "\ngenerator    {:.2} s of CPU time, ", self.cpu.seconds)?;
        writeln!(f, "{percent:.0} % of the machine")?;
        if self.cpu.share_of_core > BUSY {
            let core = 100.0 * self.cpu.share_of_core;
            writeln!(f, "note: it used {core:.0} % of one core, so the server may be faster")?;
        }
        Ok(())
    }
}

impl Display for Latency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "latency      mean {}", time(self.mean))?;
        for (name, _) in PERCENTILES {
            write!(f, "  {name} {}", time(self.percentiles[name]))?;
        }
        writeln!(f, "  max {}", time(self.max))?;
        if !self.thin.is_empty() {
            let thin = self.thin.join(", ");
            writeln!(f, "note: too few answers for {thin}: fewer than 10 are slower")?;
        }
        Ok(())
    }
}

/// A time in the unit that suits it, with three significant digits.
pub(crate) fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        ..1e-3 => (seconds * 1e6, "us"),
        1e-3..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_the_unit_that_suits_it() {
        let cases = [(12.3e-6, "12.3 us"), (0.0042, "4.20 ms"), (0.420, "420 ms"), (1.5, "1.50 s")];
        for (seconds, text) in cases {
            assert_eq!(time(seconds), text);
        }
    }
}
