//! Bare processes that only work: the most that this machine can do.

use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::process::{Child, ChildStdout};
use std::time::{Duration, Instant};

use cluster::{Error, Result};

use super::Work;
use super::cores::{cores, pin};
use super::role::{Role, command};
use super::work::calculate;

/// A process that repeats the work without a server, a runtime, or a client.
pub struct Bare {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Bare {
    /// The works per second of `workers` processes that run for `time`, each pinned to its core.
    ///
    /// # Errors
    /// A process cannot be started.
    ///
    /// # Panics
    /// The work is not a calculation.
    pub fn works_per_second(work: Work, workers: usize, time: Duration) -> Result<f64> {
        let start = |worker| Self::start(work, worker);
        let mut all = (0..workers).map(start).collect::<Result<Vec<_>>>()?;
        all.iter_mut().try_for_each(|bare| bare.begin(time))?;
        all.iter_mut().map(Self::end).sum()
    }

    /// Starts a process, and waits until it is ready to begin.
    fn start(work: Work, worker: usize) -> Result<Self> {
        let mut process = command(Role::Bare, work, worker)?.spawn()?;
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut bare = Self { process, output };
        bare.output.read_exact(&mut [0])?;
        Ok(bare)
    }

    fn begin(&mut self, time: Duration) -> Result<()> {
        let input = self.process.stdin.as_mut().expect("it is piped");
        Ok(writeln!(input, "{}", time.as_millis())?)
    }

    /// Reads the works per second of a process that has ended.
    fn end(&mut self) -> Result<f64> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.trim().parse().map_err(|error| Error::because("a bare process has failed", error))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Works for the time that its input names, and prints its works per second. `worker` picks the core.
pub(super) fn play(work: Work, worker: usize) -> Result<()> {
    let Work::Compute { rounds } = work else {
        return Err(Error::new("only a calculation keeps a bare process busy"));
    };
    pin(&cores()?, worker)?;
    stdout().write_all(b"!").and_then(|()| stdout().flush())?;
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    let time = line.trim().parse().map_err(|error| Error::because("no time to work", error))?;
    let (begin, time, mut works) = (Instant::now(), Duration::from_millis(time), 0.0);
    while begin.elapsed() < time {
        calculate(rounds);
        works += 1.0;
    }
    println!("{}", works / begin.elapsed().as_secs_f64());
    Ok(())
}
