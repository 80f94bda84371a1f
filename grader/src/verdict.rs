//! Derives a verdict from the observations of a warden. Pure: no process is touched here.

use serde::{Deserialize, Serialize};

use crate::warden::CROWD;
use crate::warden::waits::{Wait, why_stuck};
use crate::wire::{Finding, Record, Value, What};

/// More processes, one after another, than any check needs.
const STORM: usize = 50;

/// The observations that a warden has made of its check.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The process of the check.
    pub check: i32,
    /// The reports of the process and its descendants, in order.
    pub records: Vec<Record>,
    /// The end of the process of the check.
    pub end: End,
    /// Processes that kept running after its end.
    pub left: Vec<i32>,
    /// The places where the processes were waiting when the warden ended the check.
    pub waits: Vec<Wait>,
    /// The number of processes that have ever existed, as far as they were seen.
    pub ever: usize,
}

/// The end of the process of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited.
    Exited(i32),
    /// A signal killed it, and the warden did not send that signal.
    Killed(String),
    /// All processes slept, and nothing happened any more.
    Stuck,
    /// They were busy until the deadline.
    Late,
    /// There were more descendants than any exercise needs.
    Crowd,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All requirements hold.
    Passed,
    /// A hole was reached: the one of this step.
    NotStarted(String),
    /// This machine does not have what the check needs.
    Unavailable(String),
    /// Something is wrong.
    Failed(Finding),
}

/// Judges. Causes come before effects: a child that came back explains everything that went wrong
/// after it.
#[must_use]
pub fn judge(seen: &Seen) -> Verdict {
    let without_finding = seen.records.iter().find_map(|record| match &record.what {
        What::Hole { step } => Some(Verdict::NotStarted(step.clone())),
        What::Unavailable { need } => Some(Verdict::Unavailable(need.clone())),
        _ => None,
    });
    without_finding.unwrap_or_else(|| finding(seen).map_or(Verdict::Passed, Verdict::Failed))
}

fn finding(seen: &Seen) -> Option<Finding> {
    let about = |id: &str| Finding::new(id).with("function", function(seen));
    if seen.end == End::Crowd {
        return Some(about("crowd").with("most", CROWD));
    }
    if let Some(pid) = came_back(seen) {
        return Some(about("came-back").with("pid", Value::Pids(vec![pid])));
    }
    if let Some((pid, message)) = panicked(seen) {
        if message.contains("grader/s") {
            return Some(Finding::new("grader-failed").with("error", message)); // its src or suite
        }
        let id = if pid == seen.check { "panic" } else { "panic-in-worker" };
        return Some(about(id).with("pid", Value::Pids(vec![pid])).with("message", message));
    }
    match &seen.end {
        End::Stuck | End::Late => return Some(no_end(seen, about)),
        End::Killed(signal) => return Some(about("killed").with("signal", signal.as_str())),
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

/// The reason why a check did not finish, derived from the places where its processes are waiting.
fn no_end(seen: &Seen, about: impl Fn(&str) -> Finding) -> Finding {
    let waits = Value::Lines(seen.waits.iter().map(Wait::finding).collect());
    let id = match seen.end {
        End::Late if seen.ever > STORM => return about("storm").with("most", STORM),
        End::Late => "late",
        // The learner's function has returned: the check is waiting for an effect that this function
        // should have.
        _ if !is_in_function(seen) => "stuck-afterwards",
        _ => why_stuck(&seen.waits, seen.check),
    };
    about(id).with("waits", waits)
}

/// Returns true if the check's process is in the learner's code, and not in the code of the check.
fn is_in_function(seen: &Seen) -> bool {
    let mut mine = seen.records.iter().rev().filter(|record| record.pid == seen.check);
    let last = mine.find_map(|record| match record.what {
        What::Called { .. } => Some(true),
        What::Returned { .. } => Some(false),
        _ => None,
    });
    last == Some(true)
}

/// A process other than the check's that returned from a learner's function, or reported a verdict.
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

/// The learner's function that was called last.
fn function(seen: &Seen) -> String {
    let called = seen.records.iter().rev().find_map(|record| match &record.what {
        What::Called { function } => Some(function.clone()),
        _ => None,
    });
    called.unwrap_or_default()
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
    fn the_check_waits_after_the_function_has_returned() {
        let back = (CHECK, What::Returned { function: "f()".to_owned() });
        assert_eq!(id(&seen(vec![called()], End::Stuck)), "stuck");
        assert_eq!(id(&seen(vec![called(), back], End::Stuck)), "stuck-afterwards");
    }

    #[test]
    fn a_server_that_is_missing_is_not_a_failure() {
        let need = (CHECK, What::Unavailable { need: "redis".to_owned() });
        let seen = seen(vec![called(), need], End::Exited(0));
        assert_eq!(judge(&seen), Verdict::Unavailable("redis".to_owned()));
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
