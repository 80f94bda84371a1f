//! The strategies: a closure of state, a connection, and the workers that have room.

use std::collections::BTreeMap;

use cluster::dispatch::{
    Candidate, Connection, LeastConnections, Place, RoundRobin, Strategy, TwoChoices, Workers,
};
use cluster::supervisor::{SlotId, WorkerId};

use crate::{SLOW, SLOWER, Wrong};

/// The name of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Name {
    /// All workers in turn
    RoundRobin,
    /// The worker with the fewest connections
    LeastConnections,
    /// Two workers chosen at random, and of these the one with fewer connections
    TwoChoices,
    /// The fewest connections for its speed: written in this example
    Weighted,
}

impl Name {
    pub fn strategy(self, wrong: Option<Wrong>) -> Box<dyn Strategy> {
        match (self, wrong) {
            (Self::RoundRobin, Some(Wrong::ForgetsDead)) => Box::new(ForgetsDead::default()),
            (Self::LeastConnections, Some(Wrong::NeverCountsDown)) => {
                Box::new(NeverCountsDown::default())
            }
            (Self::RoundRobin, _) => Box::new(RoundRobin::default()),
            (Self::LeastConnections, _) => Box::new(LeastConnections::default()),
            (Self::TwoChoices, _) => Box::new(TwoChoices::new(1)),
            (Self::Weighted, _) => Box::new(Weighted::default()),
        }
    }
}

/// Chooses the worker with the fewest connections for its speed: a worker that is ten times slower is
/// full with a tenth of the connections. Equal workers take turns.
#[derive(Default)]
struct Weighted {
    last: Option<Place>,
}

impl Strategy for Weighted {
    fn choose(&mut self, _: &Connection, workers: &Workers) -> Option<WorkerId> {
        // One connection more, divided by the speed: the wait that this client would have.
        let wait = |it: &&Candidate| (it.load() + 1) * if it.slot == SLOW { SLOWER } else { 1 };
        let best = workers.after(self.last).min_by_key(wait)?;
        self.last = Some(best.place());
        Some(best.worker)
    }
}

/// Wrong: takes turns in a list that was made once. A worker of that list that has died is named again,
/// and its successor never.
#[derive(Default)]
struct ForgetsDead {
    workers: Vec<WorkerId>,
    turn: usize,
}

impl Strategy for ForgetsDead {
    fn choose(&mut self, _: &Connection, workers: &Workers) -> Option<WorkerId> {
        if self.workers.len() < workers.len() {
            self.workers = workers.iter().map(|it| it.worker).collect();
        }
        self.turn += 1;
        Some(self.workers[self.turn % self.workers.len()])
    }
}

/// Wrong: counts the connections that it gives, and never those that end. So it takes turns, and a new
/// worker gets everything until it has caught up.
#[derive(Default)]
struct NeverCountsDown {
    given: BTreeMap<SlotId, usize>,
}

impl Strategy for NeverCountsDown {
    fn choose(&mut self, _: &Connection, workers: &Workers) -> Option<WorkerId> {
        let given = |it: &&Candidate| self.given.get(&it.slot).copied().unwrap_or_default();
        let least = workers.iter().min_by_key(given)?;
        *self.given.entry(least.slot).or_default() += 1;
        Some(least.worker)
    }
}
