//! From what a warden has seen to a verdict. Pure: no process is touched here.

use serde::{Deserialize, Serialize};

use crate::warden::waits::{Wait, why_stuck};
use crate::wire::{Finding, Record, Value, What};

/// More processes than any check needs, one after the other.
const STORM: usize = 100;

/// What a warden has seen of one check.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The process of the check.
    pub check: i32,
    /// What it and its descendants have reported, in order.
    pub records: Vec<Record>,
    /// How the process of the check ended.
    pub end: End,
    /// Processes that ran on after its end.
    pub left: Vec<i32>,
    /// Where everybody waited when the warden lost its patience.
    pub waits: Vec<Wait>,
    /// How many processes there have ever been, as far as they were seen.
    pub ever: usize,
}

/// How the process of a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited.
    Exited(i32),
    /// A signal killed it, and the warden did not send it.
    Killed(String),
    /// All processes slept, and nothing happened any more.
    Stuck,
    /// They were busy until the deadline.
    Late,
    /// There were more descendants than any exercise needs.
    Crowd,
}

/// What a check comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What had to hold has held.
    Passed,
    /// A hole was reached: the one of this step.
    NotStarted(String),
    /// Something is wrong.
    Failed(Finding),
}

/// Judges. The order is that of causes: a child that came back explains everything that went wrong
/// after it.
#[must_use]
pub fn judge(seen: &Seen) -> Verdict {
    match hole(seen) {
        Some(step) => Verdict::NotStarted(step),
        None => finding(seen).map_or(Verdict::Passed, Verdict::Failed),
    }
}

fn hole(seen: &Seen) -> Option<String> {
    seen.records.iter().find_map(|record| match &record.what {
        What::Hole { step } => Some(step.clone()),
        _ => None,
    })
}

fn finding(seen: &Seen) -> Option<Finding> {
    let about = |id: &str| Finding::new(id).with("function", function(seen));
    if seen.end == End::Crowd {
        return Some(about("crowd"));
    }
    if let Some(pid) = came_back(seen) {
        return Some(about("came-back").with("pid", Value::Pids(vec![pid])));
    }
    if let Some((pid, message)) = panicked(seen) {
        let id = if pid == seen.check { "panic" } else { "panic-in-worker" };
        return Some(about(id).with("pid", Value::Pids(vec![pid])).with("message", message));
    }
    let waits = || Value::Lines(seen.waits.iter().map(Wait::told).collect());
    match &seen.end {
        End::Stuck => {
            return Some(about(why_stuck(&seen.waits, seen.check)).with("waits", waits()));
        }
        End::Late if seen.ever > STORM => return Some(about("storm")),
        End::Late => return Some(about("late").with("waits", waits())),
        End::Killed(signal) => return Some(about("killed").with("signal", signal.clone())),
        End::Exited(_) | End::Crowd => {}
    }
    let mut verdicts = seen.records.iter().filter_map(|record| match &record.what {
        What::Verdict { finding } => Some(finding),
        _ => None,
    });
    match (verdicts.next(), verdicts.next(), &seen.end) {
        (None, _, End::Exited(code)) => {
            Some(about("exited").with("code", Value::Text(code.to_string())))
        }
        (Some(_), Some(_), _) => Some(about("two-verdicts")),
        (Some(Some(finding)), None, _) => Some(finding.clone()),
        _ if !seen.left.is_empty() => {
            Some(about("left-running").with("pids", Value::Pids(seen.left.clone())))
        }
        _ => None,
    }
}

/// A process other than the check's that returned from a learner's function, or judged.
fn came_back(seen: &Seen) -> Option<i32> {
    let is_back = |what: &What| matches!(what, What::Returned { .. } | What::Verdict { .. });
    let mut others = seen.records.iter().filter(|record| record.pid != seen.check);
    others.find(|record| is_back(&record.what)).map(|record| record.pid)
}

fn panicked(seen: &Seen) -> Option<(i32, String)> {
    seen.records.iter().find_map(|record| match &record.what {
        What::Panicked { message } => Some((record.pid, message.clone())),
        _ => None,
    })
}

/// The function of the learner that was called last.
fn function(seen: &Seen) -> String {
    let called = seen.records.iter().rev().find_map(|record| match &record.what {
        What::Called { function } => Some(function.clone()),
        _ => None,
    });
    called.unwrap_or_else(|| "your function".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CHECK: i32 = 100;

    fn seen(records: Vec<(i32, What)>, end: End) -> Seen {
        let at = Duration::ZERO;
        let records = records.into_iter().map(|(pid, what)| Record { pid, at, what }).collect();
        Seen { check: CHECK, records, end, left: Vec::new(), waits: Vec::new(), ever: 1 }
    }

    fn called() -> (i32, What) {
        (CHECK, What::Called { function: "f()".to_owned() })
    }

    fn verdict(finding: Option<&str>) -> What {
        What::Verdict { finding: finding.map(Finding::new) }
    }

    fn id(seen: &Seen) -> String {
        match judge(seen) {
            Verdict::Failed(finding) => finding.id,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_one_verdict_of_the_check_itself_passes() {
        let passed = (CHECK, verdict(None));
        assert_eq!(id(&seen(vec![passed.clone()], End::Exited(0))), "Passed");
        assert_eq!(id(&seen(vec![], End::Exited(0))), "exited");
        assert_eq!(id(&seen(vec![passed.clone(), passed.clone()], End::Exited(0))), "two-verdicts");
        assert_eq!(id(&seen(vec![(101, verdict(None))], End::Exited(0))), "came-back");
        assert_eq!(id(&seen(vec![passed.clone()], End::Killed("SIGKILL".into()))), "killed");
        let mut left = seen(vec![passed], End::Exited(0));
        left.left = vec![102];
        assert_eq!(id(&left), "left-running");
    }

    #[test]
    fn a_hole_anywhere_means_not_started() {
        let hole = (105, What::Hole { step: "reap::1".to_owned() });
        for end in [End::Exited(86), End::Stuck, End::Late, End::Crowd] {
            let seen = seen(vec![called(), hole.clone(), (CHECK, verdict(Some("x")))], end);
            assert_eq!(judge(&seen), Verdict::NotStarted("reap::1".to_owned()));
        }
    }

    #[test]
    fn causes_come_before_effects() {
        let back = (101, What::Returned { function: "f()".to_owned() });
        let panic = (101, What::Panicked { message: "oh".to_owned() });
        let found = (CHECK, verdict(Some("silent")));
        let all = vec![called(), back, panic.clone(), found.clone()];
        assert_eq!(id(&seen(all.clone(), End::Crowd)), "crowd");
        assert_eq!(id(&seen(all, End::Stuck)), "came-back");
        assert_eq!(id(&seen(vec![panic, found.clone()], End::Late)), "panic-in-worker");
        assert_eq!(id(&seen(vec![found.clone()], End::Late)), "late");
        let storm = Seen { ever: STORM + 1, ..seen(vec![found.clone()], End::Late) };
        assert_eq!(id(&storm), "storm");
        assert_eq!(id(&seen(vec![found], End::Exited(0))), "silent");
    }

    #[test]
    fn the_function_that_was_called_last_is_named() {
        let Verdict::Failed(finding) = judge(&seen(vec![called()], End::Exited(3))) else {
            panic!("it ended without a verdict")
        };
        assert_eq!(finding.values["function"], Value::Text("f()".to_owned()));
        assert_eq!(finding.values["code"], Value::Text("3".to_owned()));
    }
}
