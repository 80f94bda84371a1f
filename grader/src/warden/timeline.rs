//! The timeline of a check, from the reports of the check and from what the warden has seen. The
//! warden looks every few milliseconds, so shorter events may be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::tree::Tree;
use crate::wire::{Finding, Record, Value, What};

/// The largest number of lines of a timeline; a longer one gets a gap in the middle.
const MOST: usize = 40;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The time since the start of the check.
    pub after: Duration,
    /// The process.
    pub pid: i32,
    /// The event, to be put into words.
    pub event: Finding,
}

/// The lines so far.
#[derive(Debug, Default)]
pub struct Timeline {
    moments: Vec<Moment>,
    known: BTreeMap<i32, (char, i32)>,
    ever: BTreeSet<i32>,
}

impl Timeline {
    /// Compares the tree with its last known state.
    pub fn see(&mut self, tree: &Tree, at: Duration) {
        let mut news = Vec::new();
        let about = |id: &str, parent| Finding::new(id).with("parent", Value::Pids(vec![parent]));
        let now: BTreeMap<i32, (char, i32)> =
            tree.iter().map(|(pid, sight)| (pid, (sight.state, sight.parent))).collect();
        for (pid, (state, parent)) in &now {
            match self.known.get(pid) {
                None => news.push((*pid, about("appeared", *parent))),
                Some((_, before)) if before != parent => {
                    news.push((*pid, about("orphaned", *before)));
                }
                Some(_) => {}
            }
            let was = self.known.get(pid).map(|(state, _)| *state);
            match state {
                'Z' if was != Some('Z') => news.push((*pid, Finding::new("zombie"))),
                'T' if was != Some('T') => news.push((*pid, Finding::new("stopped"))),
                _ => {}
            }
        }
        for pid in self.known.keys().filter(|pid| !now.contains_key(pid)) {
            news.push((*pid, Finding::new("gone")));
        }
        self.ever.extend(now.keys());
        self.known = now;
        self.moments.extend(news.into_iter().map(|(pid, event)| Moment { after: at, pid, event }));
    }

    /// Records that an orphan has ended, and was reaped by the warden.
    pub fn orphan(&mut self, pid: i32, at: Duration) {
        self.known.remove(&pid);
        self.moments.push(Moment { after: at, pid, event: Finding::new("ended-orphan") });
    }

    /// The number of processes that have been seen so far.
    #[must_use]
    pub fn ever(&self) -> usize {
        self.ever.len()
    }

    /// Adds the reports of the processes themselves. Of several calls of the same function in a row,
    /// only the first is shown: a timeline of a thousand identical lines does not help.
    pub fn add(&mut self, records: &[Record]) {
        let (mut last, mut repeats) = (None, false);
        for Record { pid, at, what } in records {
            let event = match what {
                What::Called { function } => {
                    repeats = last.replace((*pid, function)) == Some((*pid, function));
                    Finding::new("calls").with("function", function.as_str())
                }
                What::Returned { function } => {
                    repeats &= last == Some((*pid, function));
                    Finding::new("is-back").with("function", function.as_str())
                }
                What::Did { event } => {
                    (last, repeats) = (None, false);
                    event.clone()
                }
                What::Panicked { message } => {
                    repeats = false;
                    Finding::new("panics").with("message", message.as_str())
                }
                What::Verdict { .. } => {
                    repeats = false;
                    Finding::new("is-over")
                }
                What::Hole { .. } | What::Unavailable { .. } => continue,
            };
            if !repeats {
                self.moments.push(Moment { after: *at, pid: *pid, event });
            }
        }
    }

    /// All moments in order, with times since `start`.
    #[must_use]
    pub fn in_order(mut self, start: Duration, check: i32) -> Vec<Moment> {
        self.moments.retain(|moment| moment.pid != check || moment.event.id != "appeared");
        self.moments.sort_by_key(|moment| moment.after);
        for moment in &mut self.moments {
            moment.after = moment.after.saturating_sub(start);
        }
        let too_many = self.moments.len().saturating_sub(MOST);
        if too_many > 0 {
            let gap = Moment {
                after: self.moments[MOST / 2].after,
                pid: check,
                event: Finding::new("gap").with("count", too_many),
            };
            self.moments.splice(MOST / 2..MOST / 2 + too_many, [gap]);
        }
        self.moments
    }
}
