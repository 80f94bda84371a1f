//! The reports of the processes of a check to their warden: one line of JSON each, through a pipe.
//!
//! A line is shorter than `PIPE_BUF`, so lines of several processes never mix (`man 7 pipe`).

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The variable with the number of the pipe's descriptor. `hole!` reads it, too.
pub const PIPE: &str = "GRADER_PIPE";

/// The longest line, in bytes: below the 4096 that are written at once.
const LONGEST: usize = 3500;

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The process that reports.
    pub pid: i32,
    /// The time, by [`now`]. A hole does not report it.
    #[serde(default)]
    pub at: Duration,
    /// The content.
    #[serde(flatten)]
    pub what: What,
}

/// The content of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The grader's part of the check did or saw this.
    Did {
        /// To be put into words in the timeline.
        event: Finding,
    },
    /// Code of the learner is about to be called.
    Called {
        /// The function, as in `reap_ended()`.
        function: String,
    },
    /// Code of the learner has returned.
    Returned {
        /// The function.
        function: String,
    },
    /// A hole was reached.
    Hole {
        /// The step that is not started.
        step: String,
    },
    /// A panic started.
    Panicked {
        /// Its message, and its place.
        message: String,
    },
    /// The check needs something that this machine does not have.
    Unavailable {
        /// The name, as in `redis`.
        need: String,
    },
    /// The check is over.
    Verdict {
        /// The finding, or `None` if all is well.
        finding: Option<Finding>,
    },
}

/// Something that was found, or seen, to be put into words by [`crate::words`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id of its words.
    pub id: String,
    /// The values for the places in its words.
    pub values: BTreeMap<String, Value>,
}

/// The value for a place in a sentence. It has no words of its own: a finding has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A name, a path, or Rust code, the same in each run.
    Text(String),
    /// A number that is the same in each run.
    Number(u64),
    /// Processes, which differ in each run.
    Pids(Vec<i32>),
    /// A text that differs in each run, such as a time or a port.
    Varying(String),
    /// Findings with words of their own, one line for each.
    Lines(Vec<Finding>),
}

impl Finding {
    /// The finding that `id` explains.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), values: BTreeMap::new() }
    }

    /// Adds `value` for the place `name`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }
}

impl From<&str> for Finding {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<Finding> for Value {
    fn from(line: Finding) -> Self {
        Self::Lines(vec![line])
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<nix::unistd::Pid> for Value {
    fn from(pid: nix::unistd::Pid) -> Self {
        Self::Pids(vec![pid.as_raw()])
    }
}

impl From<&[nix::unistd::Pid]> for Value {
    fn from(pids: &[nix::unistd::Pid]) -> Self {
        Self::Pids(pids.iter().map(|pid| pid.as_raw()).collect())
    }
}

/// The time since the machine was started: the same clock in every process.
#[must_use]
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

/// Writes one record, and cuts its texts if it would be too long for one write.
///
/// # Errors
/// Any error of the pipe.
pub fn write(mut pipe: impl Write, what: What) -> io::Result<()> {
    let mut record = Record { pid: nix::unistd::getpid().as_raw(), at: now(), what };
    let mut line = serde_json::to_string(&record)?;
    let mut most = 2 * LONGEST;
    while line.len() > LONGEST && most > 0 {
        most /= 2;
        shorten(&mut record.what, most);
        line = serde_json::to_string(&record)?;
    }
    line.push('\n');
    pipe.write_all(line.as_bytes())
}

/// Cuts the texts that are longer than `most` bytes.
fn shorten(what: &mut What, most: usize) {
    match what {
        What::Called { function: text }
        | What::Returned { function: text }
        | What::Hole { step: text }
        | What::Unavailable { need: text }
        | What::Panicked { message: text } => cut(text, most),
        What::Verdict { finding: None } => {}
        What::Did { event: finding } | What::Verdict { finding: Some(finding) } => {
            shorten_values(finding, most);
        }
    }
}

fn shorten_values(finding: &mut Finding, most: usize) {
    for value in finding.values.values_mut() {
        match value {
            Value::Text(text) | Value::Varying(text) => cut(text, most),
            Value::Pids(pids) => pids.truncate(most),
            Value::Lines(lines) => {
                lines.truncate(most);
                for line in lines {
                    shorten_values(line, most);
                }
            }
            Value::Number(_) => {}
        }
    }
}

fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate((0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
        text.push('…');
    }
}

/// Takes the complete lines out of `bytes`, and parses them. A line that is not a record is an
/// `Err`.
pub fn take_records(bytes: &mut Vec<u8>) -> Vec<Result<Record, String>> {
    let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
    let whole: Vec<u8> = bytes.drain(..=last).collect();
    String::from_utf8_lossy(&whole)
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|_| line.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_the_pipe_and_a_long_one_stays_one_write() {
        let long = "\u{1}".repeat(10_000); // the worst case: six bytes of JSON for each
        let many = Value::Lines(vec![Finding::new("y").with("pid", 1); 10_000]);
        let finding = Finding::new("x").with("a", long.clone()).with("b", long).with("c", many);
        let mut bytes = Vec::new();
        write(&mut bytes, What::Verdict { finding: Some(finding) }).expect("written");
        assert!(bytes.len() <= 4096, "{}", bytes.len());
        write(&mut bytes, What::Did { event: Finding::new("something") }).expect("written");
        let records = take_records(&mut bytes);
        assert_eq!(records.len(), 2);
        let did = records[1].as_ref().expect("a record");
        assert_eq!(did.what, What::Did { event: Finding::new("something") });
    }

    #[test]
    fn half_a_line_waits_and_nonsense_is_an_error() {
        let mut bytes = b"{\"pid\":1,\"hole\":{\"step\":\"a::1\"}}\nnonsense\n{\"pid\"".to_vec();
        let records = take_records(&mut bytes);
        assert_eq!(records[0].as_ref().expect("a record").pid, 1);
        assert_eq!(records[1].as_ref().expect_err("nonsense"), "nonsense");
        assert_eq!(bytes, b"{\"pid\"");
    }
}
