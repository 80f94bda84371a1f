//! The kinds of work.

use std::time::Duration;

use benches::rivals::Work;
use clap::ValueEnum;

/// CPU time of a request: long, so that the generator takes less than 1 % of it.
const CPU_TIME: Duration = Duration::from_millis(50);
/// Time that a request waits for something else.
const WAIT: Duration = Duration::from_millis(10);
/// Clients of the work that waits. They are the same for any number of workers: with clients for each
/// worker, more workers would only mean more clients.
const CLIENTS: usize = 64;
/// More workers than cores pay off only where a worker waits.
const WAITING_WORKERS: [usize; 5] = [1, 2, 4, 8, 16];
/// Numbers of workers that are measured up to the number of cores.
const STEPS: [usize; 15] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// CPU-bound: 50 ms of CPU time per request
    Cpu,
    /// I/O-bound, asynchronous: 10 ms of waiting, in which the thread is free
    Async,
    /// I/O-bound, blocking: 10 ms of waiting, in which the thread is held
    Blocking,
}

impl Kind {
    /// The name of the kind in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU-bound",
            Self::Async => "I/O-bound, async",
            Self::Blocking => "I/O-bound, blocking",
        }
    }

    /// The heading of the kind in a report.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU-bound work: 50 ms of CPU time per request",
            Self::Async => "I/O-bound work, asynchronous: 10 ms of waiting per request",
            Self::Blocking => "I/O-bound work, blocking: 10 ms of waiting per request",
        }
    }

    /// The work of one request. For a calculation this measures the machine.
    pub fn work(self) -> Work {
        match self {
            Self::Cpu => Work::compute(CPU_TIME),
            Self::Async => Work::Wait(WAIT),
            Self::Blocking => Work::Block(WAIT),
        }
    }

    /// The numbers of workers to measure on a machine with `cores` cores.
    pub fn workers(self, cores: usize) -> Vec<usize> {
        match self {
            Self::Cpu => {
                let steps = STEPS.into_iter().filter(|n| *n < cores);
                steps.chain([cores, 2 * cores]).collect()
            }
            Self::Async | Self::Blocking => WAITING_WORKERS.into(),
        }
    }

    /// The clients of every run with at most this many workers: a calculating worker always has a
    /// second request waiting.
    pub fn clients(self, most_workers: usize) -> usize {
        match self {
            Self::Cpu => 2 * most_workers,
            Self::Async | Self::Blocking => CLIENTS.max(2 * most_workers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn workers_go_up_to_the_cores_and_to_twice_as_many() {
        for (cores, workers) in [
            (1, &[1, 2][..]),
            (2, &[1, 2, 4]),
            (4, &[1, 2, 3, 4, 8]),
            (10, &[1, 2, 3, 4, 6, 8, 10, 20]),
        ] {
            assert_eq!(Kind::Cpu.workers(cores), workers, "{cores} cores");
        }
    }
}
