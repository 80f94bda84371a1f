//! All runs, in rounds: each round has one run of every contestant with every number of workers, so
//! that a machine that gets slower is slower for all of them.

use std::num::NonZeroUsize;
use std::time::Duration;

use benches::rivals::{Rival, Work, cores};
use cluster::Result;
use load::Mean;

use super::cell::{self, Contestant, Run};
use super::gain::Gain;
use super::kind::Kind;
use crate::point::{Interval, Point};
use crate::series::{Group, Series};

/// The kinds, numbers and times of a measurement.
pub struct Options {
    /// Kinds of work.
    pub kinds: Vec<Kind>,
    /// Numbers of workers; empty for those of the kind.
    pub workers: Vec<NonZeroUsize>,
    /// Rounds, at least 2.
    pub rounds: usize,
    /// The time of one run.
    pub time: Duration,
}

/// A group of series for each kind of work, and the gains over one worker.
pub struct Measured {
    /// The machine and the options, in a sentence or two.
    pub conditions: String,
    pub groups: Vec<Group>,
    /// Gains of CPU-bound work, if it was measured.
    pub gains: Vec<Gain>,
}

/// The runs of one contestant with a number of workers, one from each round.
struct Cell {
    contestant: Contestant,
    workers: usize,
    runs: Vec<Run>,
}

/// Measures all kinds, one after the other. Rows appear on stderr as they are measured.
pub fn measure(options: &Options) -> Result<Measured> {
    let cores = cores()?.len();
    let conditions = conditions(options, cores);
    let mut measured = Measured { conditions, groups: Vec::new(), gains: Vec::new() };
    for kind in &options.kinds {
        let numbers = numbers(*kind, options, cores);
        let clients = kind.clients(numbers.iter().copied().max().unwrap_or(1));
        let cells = rounds(*kind, &numbers, clients, options)?;
        let each = contestants(*kind).iter().map(|it| series(*kind, *it, &cells, cores));
        let heading = format!("{}, {clients} clients", kind.title());
        measured.groups.push(Group { heading, series: each.collect() });
        if *kind == Kind::Cpu {
            measured.gains = gains(&cells, cores)?;
        }
    }
    Ok(measured)
}

fn conditions(options: &Options, cores: usize) -> String {
    format!(
        "Measured on {cores} cores in {} rounds, each with one run of {} s for every server and number \
         of workers. Workers are pinned to cores; the generator is not, and its CPU time is listed.",
        options.rounds,
        options.time.as_secs_f64()
    )
}

/// A bare process cannot wait for a client's next request, so only a calculation is compared with it.
fn contestants(kind: Kind) -> &'static [Contestant] {
    const ALL: [Contestant; 3] =
        [Contestant::Bare, Contestant::Server(Rival::Cluster), Contestant::Server(Rival::Threads)];
    if kind == Kind::Cpu { &ALL } else { &ALL[1..] }
}

/// The numbers of workers to measure.
fn numbers(kind: Kind, options: &Options, cores: usize) -> Vec<usize> {
    if options.workers.is_empty() {
        return kind.workers(cores);
    }
    options.workers.iter().map(|n| n.get()).collect()
}

fn rounds(kind: Kind, numbers: &[usize], clients: usize, options: &Options) -> Result<Vec<Cell>> {
    let work = kind.work();
    let cell = |workers, contestant| Cell { contestant, workers, runs: Vec::new() };
    let mut cells: Vec<Cell> = numbers
        .iter()
        .flat_map(|n| contestants(kind).iter().map(|contestant| cell(*n, *contestant)))
        .collect();
    for round in 1..=options.rounds {
        eprintln!("{}, round {round} of {}, {clients} clients", kind.name(), options.rounds);
        cells.reverse(); // with an even number of rounds a steady drift cancels out
        for cell in &mut cells {
            cell.run(work, clients, options.time)?;
        }
    }
    Ok(cells)
}

impl Cell {
    fn run(&mut self, work: Work, clients: usize, time: Duration) -> Result<()> {
        let run = cell::run(self.contestant, work, self.workers, clients, time)?;
        let Run { per_second, generator } = run;
        let (name, workers) = (self.contestant.name(), self.workers);
        eprintln!(
            "  {name:<14} {workers:>3} {per_second:>10.1}/s, generator {:>5.1} %",
            100.0 * generator
        );
        self.runs.push(run);
        Ok(())
    }

    fn point(&self) -> Point {
        let rates: Vec<f64> = self.runs.iter().map(|run| run.per_second).collect();
        let Mean { value, low, high } = Mean::of(&rates).expect("there are at least two rounds");
        let generator = self.runs.iter().map(|run| run.generator).sum::<f64>() / count(&self.runs);
        Point {
            n: from_small(self.workers),
            throughput: value,
            interval: Some(Interval { low: low.max(0.0), high }),
            generator: (self.contestant != Contestant::Bare).then_some(generator),
        }
    }
}

fn series(kind: Kind, contestant: Contestant, cells: &[Cell], cores: usize) -> Series {
    let own = cells.iter().filter(|cell| cell.contestant == contestant);
    let name = format!("{}: {}", kind.name(), contestant.name());
    // Cores say nothing about workers that wait.
    let cores = if kind == Kind::Cpu { NonZeroUsize::new(cores) } else { None };
    Series::new(name, own.map(Cell::point).collect(), cores)
}

/// The gains of each number of workers up to the cores, over one worker.
fn gains(cells: &[Cell], cores: usize) -> Result<Vec<Gain>> {
    let of = |contestant, workers| {
        let mut own =
            cells.iter().filter(|it| it.contestant == contestant && it.workers == workers);
        own.next().map(|cell| cell.runs.iter().map(|run| run.per_second))
    };
    let mut numbers: Vec<usize> = cells.iter().map(|cell| cell.workers).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut gains = Vec::new();
    for workers in numbers.into_iter().filter(|n| (2..=cores).contains(n)) {
        for rival in [Rival::Cluster, Rival::Threads] {
            let rival = Contestant::Server(rival);
            let pairs = |contestant| {
                Some(of(contestant, 1)?.zip(of(contestant, workers)?).collect::<Vec<_>>())
            };
            if let (Some(bare), Some(own)) = (pairs(Contestant::Bare), pairs(rival)) {
                gains.push(Gain::new(rival.name(), workers, &own, &bare)?);
            }
        }
    }
    Ok(gains)
}

fn count<T>(of: &[T]) -> f64 {
    from_small(of.len())
}

#[allow(clippy::cast_precision_loss, reason = "workers and rounds are few")]
fn from_small(number: usize) -> f64 {
    number as f64
}
