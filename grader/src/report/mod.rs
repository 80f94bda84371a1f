//! The display of verdicts to learners and to programs.

mod machine;
mod message;

pub use machine::{json, junit};
pub use message::{Look, text};

use std::env;

use crate::catalogue::Step;
use crate::verdict::Verdict;
use crate::warden::Report;
use crate::words::words;

/// A step and the result of its check.
#[derive(Clone, Debug)]
pub struct Graded {
    /// The step.
    pub step: Step,
    /// The warden's report.
    pub report: Report,
    /// If true, a step that is not started counts as failed.
    pub strict: bool,
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All requirements hold.
    Done,
    /// Something is wrong.
    Failing,
    /// There is a hole.
    NotStarted,
    /// This machine does not have what the check needs.
    Unavailable,
}

impl State {
    /// Its name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failing => "failing",
            Self::NotStarted => "not started",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Graded {
    /// The state of the step. A required server that is missing is a failure.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.report.verdict {
            Verdict::Passed => State::Done,
            Verdict::NotStarted(_) if !self.strict => State::NotStarted,
            Verdict::Unavailable(need) if !is_needed(need) => State::Unavailable,
            Verdict::NotStarted(_) | Verdict::Unavailable(_) | Verdict::Failed(_) => State::Failing,
        }
    }

    /// The file, and the line of the function in it.
    #[must_use]
    pub fn place(&self) -> String {
        match self.step.line() {
            Some(line) => format!("{}:{line}", self.step.file),
            None => self.step.file.clone(),
        }
    }
}

/// `WORKBOOK_NEEDS_REDIS` means that Redis is required.
fn is_needed(need: &str) -> bool {
    env::var_os(format!("WORKBOOK_NEEDS_{}", need.to_uppercase())).is_some()
}

/// The reason why a step is ignored: it is not started, or a step that it needs is not, or a server is
/// missing.
#[must_use]
pub fn ignored(graded: &Graded) -> String {
    let labels = &words().labels;
    let why = match &graded.report.verdict {
        Verdict::NotStarted(hole) if *hole != graded.step.trial => {
            format!("{} {hole}", labels.waits_for)
        }
        Verdict::Unavailable(need) => format!("{} {need}", labels.needs),
        _ => labels.not_started.to_owned(),
    };
    format!("{why}: {} — {}", graded.step.file, graded.step.task)
}

/// The last line of a run: the progress so far, and the next step.
#[must_use]
pub fn footer(graded: &[Graded]) -> String {
    let labels = &words().labels;
    let count = |state: State| graded.iter().filter(|one| one.state() == state).count();
    let first = |state: State| graded.iter().find(|one| one.state() == state);
    let next = match first(State::Failing).or_else(|| first(State::NotStarted)) {
        Some(one) => format!("{} ({}, {})", one.place(), one.step.trial, one.step.task),
        None if graded.is_empty() => labels.nothing_found.to_owned(),
        None => labels.all_done.to_owned(),
    };
    let counted = [
        (State::Done, labels.done_count),
        (State::Failing, labels.failing_count),
        (State::NotStarted, labels.not_started),
        (State::Unavailable, labels.unavailable),
    ];
    let counted = counted
        .into_iter()
        .filter(|(state, _)| *state != State::Unavailable || count(State::Unavailable) > 0);
    let counts: Vec<String> =
        counted.map(|(state, name)| format!("{} {name}", count(state))).collect();
    format!("{} · {}: {next}", counts.join(" · "), labels.next)
}
