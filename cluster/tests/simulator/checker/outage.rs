//! Clients wait for a worker for a bounded time.
//!
//! From outside: when no worker has accepted connections for five seconds, connections are suspended,
//! once, until a worker may accept again.

use cluster::supervisor::Action;

use super::{Books, Checked, Rule};
use crate::world::{KILL_TAKES, Millis};

/// The time that clients may wait.
const PATIENCE: Millis = 5000;

#[derive(Default)]
pub struct Outages {
    began: Option<Began>,
    suspended: bool,
}

struct Began {
    at: Millis,
    slept_before: Millis,
}

impl Outages {
    pub fn observe(&mut self, action: &Action, books: &Books) -> Checked {
        match action {
            Action::Accept(_) => self.suspended = false,
            Action::SuspendConnections => {
                let legal = !self.suspended && books.accepting() == 0;
                self.suspended = true;
                return RULE
                    .check(legal, || "suspended while a worker accepts, or twice".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    pub fn end_of_step(&mut self, stopping: bool, books: &Books) -> Checked {
        if stopping || books.accepting() > 0 {
            self.began = None;
            return Ok(());
        }
        let now = Began { at: books.now, slept_before: books.slept };
        let began = self.began.get_or_insert(now);
        let latest = began.at + PATIENCE + (books.slept - began.slept_before) + 2 * KILL_TAKES;
        RULE.check(self.suspended || books.now <= latest, || {
            format!("clients have waited since {} ms", began.at)
        })
    }
}

const RULE: Rule = Rule::BoundedWait;
