//! What happened when, from what the check has reported and from what the warden has seen. The
//! warden looks every few milliseconds, so what was shorter may be missing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::tree::Tree;
use crate::wire::{Record, What};

/// The most lines of a timeline; in the middle of a longer one there is a gap.
const MOST: usize = 40;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Since the beginning of the check.
    pub after: Duration,
    /// About whom.
    pub pid: i32,
    /// What.
    pub what: String,
}

/// The lines so far.
#[derive(Debug, Default)]
pub struct Timeline {
    moments: Vec<Moment>,
    known: BTreeMap<i32, (char, i32)>,
}

impl Timeline {
    /// Compares the tree with what was known of it.
    pub fn see(&mut self, tree: &Tree, at: Duration) {
        let mut news = Vec::new();
        let now: BTreeMap<i32, (char, i32)> =
            tree.iter().map(|(pid, sight)| (pid, (sight.state, sight.parent))).collect();
        for (pid, (state, parent)) in &now {
            match self.known.get(pid) {
                None => news.push((*pid, format!("is there, a child of {parent}"))),
                Some((_, before)) if before != parent => {
                    news.push((*pid, format!("has lost its parent {before}")));
                }
                Some(_) => {}
            }
            let was = self.known.get(pid).map(|(state, _)| *state);
            match state {
                'Z' if was != Some('Z') => news.push((*pid, "is a zombie".to_owned())),
                'T' if was != Some('T') => news.push((*pid, "is stopped".to_owned())),
                _ => {}
            }
        }
        for pid in self.known.keys().filter(|pid| !now.contains_key(pid)) {
            news.push((*pid, "is gone".to_owned()));
        }
        self.known = now;
        self.moments.extend(news.into_iter().map(|(pid, what)| Moment { after: at, pid, what }));
    }

    /// An orphan has ended, and was reaped by the warden.
    pub fn orphan(&mut self, pid: i32, at: Duration) {
        self.known.remove(&pid);
        self.moments.push(Moment { after: at, pid, what: "ended as an orphan".to_owned() });
    }

    /// What the processes have reported themselves.
    pub fn add(&mut self, records: &[Record]) {
        for Record { pid, at, what } in records {
            let what = match what {
                What::Did { what } => what.clone(),
                What::Called { function } => format!("calls {function}"),
                What::Returned { function } => format!("is back from {function}"),
                What::Panicked { message } => format!("panics: {message}"),
                What::Verdict { .. } => "the check is over".to_owned(),
                What::Hole { .. } => continue,
            };
            self.moments.push(Moment { after: *at, pid: *pid, what });
        }
    }

    /// All of it in order, with times since `start`.
    #[must_use]
    pub fn told(mut self, start: Duration, check: i32) -> Vec<Moment> {
        self.moments.retain(|moment| moment.pid != check || !moment.what.starts_with("is there"));
        self.moments.sort_by_key(|moment| moment.after);
        for moment in &mut self.moments {
            moment.after = moment.after.saturating_sub(start);
        }
        let too_many = self.moments.len().saturating_sub(MOST);
        if too_many > 0 {
            let gap = Moment {
                after: self.moments[MOST / 2].after,
                pid: check,
                what: format!("[{too_many} more lines]"),
            };
            self.moments.splice(MOST / 2..MOST / 2 + too_many, [gap]);
        }
        self.moments
    }
}
