//! The times: every architecture in turn, in several rounds, so that a machine that gets slower is
//! slower for all of them. A figure is the mean of the rounds with its 95 % interval.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::ValueEnum;
use lab::{Result, Service};
use load::{Mean, Pace, Plan, Report, Target};

use crate::rows::{self, ROWS};
use crate::{Architecture, decision, limits};

/// Rounds; each starts every architecture once.
const ROUNDS: usize = 6;

/// The figures of one architecture: for each row, one from each round.
pub struct Figures {
    pub architecture: Architecture,
    pub of_rows: Vec<Vec<f64>>,
}

pub fn play() -> Result<()> {
    if cfg!(debug_assertions) {
        return Err("a debug build is not measured; run it with `cargo run --release`".into());
    }
    limits::print()?;
    let new = |architecture: &Architecture| Figures {
        architecture: *architecture,
        of_rows: vec![Vec::new(); ROWS.len()],
    };
    let mut all: Vec<Figures> = Architecture::value_variants().iter().map(new).collect();
    for round in 1..=ROUNDS {
        all.reverse(); // every other round goes backwards, so a drift cancels out
        for figures in &mut all {
            eprintln!("round {round} of {ROUNDS}: {}", figures.architecture.name());
            for (row, figure) in rows::measure(figures.architecture)?.into_iter().enumerate() {
                figures.of_rows[row].push(figure);
            }
        }
    }
    all.sort_by_key(|figures| figures.architecture as usize);
    for row in 0..ROWS.len() {
        print(row, &all);
    }
    decision::print(&all);
    Ok(())
}

/// One row: each architecture with its interval, and the best with those that the rounds do not tell
/// from it.
fn print(row: usize, all: &[Figures]) {
    let (name, unit) = (ROWS[row].name, ROWS[row].unit);
    println!("\n{name}, {unit}");
    for figures in all {
        let Mean { value, low, high } = figures.mean(row);
        let name = figures.architecture.name();
        println!("  {name:<13} {value:>10.1}   {low:>10.1} to {high:.1}");
    }
    println!("  best: {}", best(row, all).join(", "));
}

/// The best architecture of a row, followed by those whose intervals overlap its own.
pub fn best(row: usize, all: &[Figures]) -> Vec<String> {
    let better = |a: &Mean, b: &Mean| {
        if ROWS[row].more_is_better {
            b.value.total_cmp(&a.value)
        } else {
            a.value.total_cmp(&b.value)
        }
    };
    let mut sorted: Vec<(&Figures, Mean)> = all.iter().map(|it| (it, it.mean(row))).collect();
    sorted.sort_by(|a, b| better(&a.1, &b.1));
    let first = sorted[0].1;
    let close = sorted.iter().filter(|(_, mean)| mean.overlaps(&first));
    close.map(|(figures, _)| figures.architecture.name()).collect()
}

impl Figures {
    fn mean(&self, row: usize) -> Mean {
        Mean::of(&self.of_rows[row]).expect("there are several rounds")
    }
}

/// Puts a service under load.
pub fn load(
    service: &Service,
    path: &str,
    connections: usize,
    pace: Pace,
    seconds: u64,
) -> Result<Report> {
    let target: Target = format!("http://{}{path}", service.address()).parse()?;
    let connections = NonZeroUsize::new(connections).ok_or("no connections")?;
    let report = Plan::get(target, connections, pace, Duration::from_secs(seconds)).run()?;
    match report.complaint() {
        Some(complaint) => Err(complaint.into()),
        None => Ok(report),
    }
}
