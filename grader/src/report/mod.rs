//! How verdicts are shown: to a learner, and to programs.

mod machine;
mod message;

pub use machine::{json, junit};
pub use message::{Look, text};

use crate::catalogue::Step;
use crate::verdict::Verdict;
use crate::warden::Report;
use crate::words::words;

/// A step and what its check came to.
#[derive(Clone, Debug)]
pub struct Graded {
    /// The step.
    pub step: Step,
    /// What the warden said.
    pub report: Report,
    /// Whether a step that is not started counts as failed.
    pub strict: bool,
}

impl Graded {
    /// `done`, `failing` or `not started`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.report.verdict {
            Verdict::Passed => "done",
            Verdict::NotStarted(_) if !self.strict => "not started",
            Verdict::NotStarted(_) | Verdict::Failed(_) => "failing",
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

/// Why a step is ignored: it is not started, or another one is that it needs.
#[must_use]
pub fn not_started(graded: &Graded) -> String {
    let labels = &words().labels;
    let why = match &graded.report.verdict {
        Verdict::NotStarted(hole) if *hole != graded.step.trial => {
            format!("{} {hole}", labels.waits_for)
        }
        _ => labels.not_started.to_owned(),
    };
    format!("{why}: {} — {}", graded.step.file, graded.step.task)
}

/// The last line of a run: how far you are, and what comes next.
#[must_use]
pub fn footer(graded: &[Graded]) -> String {
    let labels = &words().labels;
    let count = |state: &str| graded.iter().filter(|one| one.state() == state).count();
    let first = |state: &str| graded.iter().find(|one| one.state() == state);
    let next = match first("failing").or_else(|| first("not started")) {
        Some(one) => format!("{} ({}, {})", one.place(), one.step.trial, one.step.task),
        None if graded.is_empty() => labels.nothing_found.to_owned(),
        None => labels.all_done.to_owned(),
    };
    format!(
        "{} {} · {} {} · {} {} · {}: {next}",
        count("done"),
        labels.done_count,
        count("failing"),
        labels.failing_count,
        count("not started"),
        labels.not_started,
        labels.next,
    )
}
