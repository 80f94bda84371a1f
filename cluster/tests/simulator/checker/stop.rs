//! Invariant 5: after a stop nothing is spawned, and everything is gone by the deadline.

use cluster::supervisor::{Action, Event, Input};

use super::{Books, Checked, Rule};
use crate::world::{KILL_TAKES, Millis, millis};

#[derive(Default)]
pub struct StopRules {
    begun: Option<Begun>,
    /// The time of a request to stop at once.
    at_once: Option<Millis>,
    asked: bool,
    refused: bool,
    pub finished: bool,
}

struct Begun {
    at: Millis,
    slept_before: Millis,
}

impl StopRules {
    pub fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    pub fn note(&mut self, input: &Input, now: Millis) {
        if *input == Input::StopNow {
            self.at_once.get_or_insert(now);
        }
        self.asked |= matches!(input, Input::Stop | Input::StopNow);
    }

    pub fn observe(&mut self, action: &Action, books: &Books) -> Checked {
        RULE.check(
            !self.finished || matches!(action, Action::Reply { .. } | Action::Forget(_)),
            || format!("after the end: {action:?}"),
        )?;
        match action {
            Action::Emit(Event::Stopping) => {
                let first = self.begun.is_none() && self.asked;
                self.begun = Some(Begun { at: books.now, slept_before: books.slept });
                RULE.check(first, || "a stop begins twice, or without a request".to_owned())
            }
            Action::Spawn { worker, .. } => {
                RULE.check(self.begun.is_none(), || format!("worker {worker} starts during a stop"))
            }
            Action::RefuseConnections => {
                let legal = self.begun.is_some() && !self.refused;
                self.refused = true;
                RULE.check(legal, || "connections are refused twice, or too soon".to_owned())
            }
            Action::Finished => {
                let legal = self.refused && books.alive().count() == 0;
                self.finished = true;
                RULE.check(legal, || "finished while a worker is alive".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub fn end_of_step(&self, books: &Books) -> Checked {
        let Some(begun) = &self.begun else {
            return RULE.check(!self.asked, || "a stop does not begin".to_owned());
        };
        let alive: Vec<_> = books.alive().map(|(id, _)| id.0).collect();
        RULE.check(self.finished || !alive.is_empty(), || {
            "no worker is left, but the stop is not finished".to_owned()
        })?;
        let policy = &books.policy;
        let slept = books.slept - begun.slept_before;
        // The supervisor cannot act in time on an input that arrives late.
        let deadline = |limit| begun.at + limit + slept + SLACK;
        let refuse_by = deadline(millis(policy.accept_timeout));
        RULE.check(self.refused || books.now <= refuse_by, || {
            "connections are not refused in time".to_owned()
        })?;
        let gone_by = deadline(millis(policy.shutdown_timeout + policy.term_grace));
        let gone_by = self.at_once.map_or(gone_by, |at| gone_by.min(at + slept + SLACK));
        RULE.check(self.finished || books.now <= gone_by, || {
            format!("workers {alive:?} are alive after the deadline ({gone_by} ms)")
        })
    }
}

const RULE: Rule = Rule::StopEndsAll;

/// The time that the world needs for a kill, and the driver for a wake.
const SLACK: Millis = 2 * KILL_TAKES;
