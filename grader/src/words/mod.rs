//! Every sentence that a learner reads, by its id. One module per language: to translate the grader,
//! write another [`Language`], and nothing else.

mod en;

use crate::wire::{Finding, Value};

/// The words of one language.
#[derive(Debug)]
pub struct Language {
    /// The short words.
    pub labels: Labels,
    /// The explanations of findings, by id, for all exercises and for each.
    pub explanations: &'static [&'static [Explanation]],
    /// The lines of a timeline, and the parts of values, by id.
    pub events: &'static [&'static [(&'static str, &'static str)]],
    /// The actions of the check of each step, by the name of its trial.
    pub done: &'static [&'static [(&'static str, &'static str)]],
}

/// The short words.
#[derive(Debug)]
#[allow(missing_docs)] // the names explain themselves
pub struct Labels {
    pub file: &'static str,
    pub done: &'static str,
    pub expected: &'static str,
    pub observed: &'static str,
    pub timeline: &'static str,
    pub cause: &'static str,
    pub read: &'static str,
    pub hint: &'static str,
    pub output: &'static str,
    pub check: &'static str,
    pub none: &'static str,
    pub nothing: &'static str,
    pub not_started: &'static str,
    pub waits_for: &'static str,
    pub needs: &'static str,
    pub unavailable: &'static str,
    pub done_count: &'static str,
    pub failing_count: &'static str,
    pub next: &'static str,
    pub all_done: &'static str,
    pub nothing_found: &'static str,
}

/// The meaning of a finding. `{name}` marks the place of the finding's value with that name.
#[derive(Debug)]
pub struct Explanation {
    /// Its id, which never changes.
    pub id: &'static str,
    /// The expected behaviour.
    pub expected: &'static str,
    /// The observed behaviour.
    pub observed: &'static str,
    /// The most likely cause.
    pub cause: &'static str,
    /// A guide and the first words of one of its paragraphs. Without them, the guides of the
    /// exercise are shown.
    pub read: Option<(&'static str, &'static str)>,
}

impl Language {
    /// The explanation of a finding.
    #[must_use]
    pub fn explanation(&self, id: &str) -> &'static Explanation {
        const UNKNOWN: Explanation =
            Explanation { id: "unknown", expected: "", observed: "", cause: "", read: None };
        self.all().find(|one| one.id == id).unwrap_or(&UNKNOWN)
    }

    /// All explanations.
    pub fn all(&self) -> impl Iterator<Item = &'static Explanation> + use<> {
        self.explanations.iter().flat_map(|some| some.iter())
    }

    /// An event, in words.
    #[must_use]
    pub fn event(&self, event: &Finding, check: i32) -> String {
        let mut all = self.events.iter().flat_map(|some| some.iter());
        let sentence =
            all.find(|(id, _)| *id == event.id).map_or(event.id.as_str(), |(_, what)| what);
        self.filled(sentence, event, check)
    }

    /// `sentence` with the values of `finding` in its `{places}`. The pid `check` gets a label.
    #[must_use]
    pub fn filled(&self, sentence: &str, finding: &Finding, check: i32) -> String {
        finding.values.iter().fold(sentence.to_owned(), |filled, (name, value)| {
            filled.replace(&format!("{{{name}}}"), &self.value(value, check))
        })
    }

    fn value(&self, value: &Value, check: i32) -> String {
        let pid = |pid: &i32| {
            if *pid == check { format!("{pid} ({})", self.labels.check) } else { pid.to_string() }
        };
        let (parts, between): (Vec<String>, &str) = match value {
            Value::Text(text) | Value::Varying(text) => {
                (text.lines().map(str::to_owned).collect(), "\n")
            }
            Value::Number(number) => return number.to_string(),
            Value::Pids(pids) => (pids.iter().map(pid).collect(), ", "),
            Value::Lines(lines) => {
                (lines.iter().map(|line| self.event(line, check)).collect(), "\n")
            }
        };
        match (parts.is_empty(), value) {
            (true, Value::Text(_) | Value::Varying(_)) => self.labels.nothing.to_owned(),
            (true, _) => self.labels.none.to_owned(),
            _ => parts.join(between),
        }
    }

    /// The actions of the check `trial`.
    #[must_use]
    pub fn done(&self, trial: &str) -> &'static str {
        let mut all = self.done.iter().flat_map(|some| some.iter());
        all.find(|(name, _)| *name == trial).map_or("", |(_, what)| what)
    }
}

/// The words in use.
#[must_use]
pub fn words() -> &'static Language {
    &en::ENGLISH
}
