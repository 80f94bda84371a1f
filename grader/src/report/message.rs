//! The message to a learner whose step has failed: what was done, what was expected, what was
//! observed, when, why, and where to go from here. The learner's own output comes last.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::Graded;
use crate::verdict::Verdict;
use crate::warden::{Moment, Report};
use crate::wire::Finding;
use crate::words::{Explanation, words};

/// The width of the labels, in columns.
const LABEL: usize = 10;

/// The look of a message.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// True if it has colours. No fact is shown by a colour alone.
    pub colours: bool,
    /// Its width, in columns.
    pub width: usize,
}

/// The whole message.
#[must_use]
pub fn text(graded: &Graded, look: Look) -> String {
    let (words, labels) = (words(), &words().labels);
    let (step, report) = (&graded.step, &graded.report);
    let finding = match &report.verdict {
        Verdict::Failed(finding) => finding.clone(),
        Verdict::NotStarted(hole) => Finding::new("not-started").with("step", hole.as_str()),
        Verdict::Unavailable(need) => Finding::new("unavailable").with("need", need.as_str()),
        Verdict::Passed => Finding::new("passed"),
    };
    let explanation = words.explanation(&finding.id);
    let filled = |sentence| words.filled(sentence, &finding, report.check);
    let bold = if look.colours { Style::new().bold() } else { Style::new() };
    let mut message = format!("{bold}{}  {}{bold:#}\n", step.trial, step.task);
    for (label, text) in [
        (labels.file, format!("{}, fn {}", graded.place(), step.function)),
        (labels.done, words.done(&step.trial).to_owned()),
        (labels.expected, filled(explanation.expected)),
        (labels.observed, filled(explanation.observed)),
        (labels.timeline, timeline(report)),
        (labels.cause, filled(explanation.cause)),
        (labels.read, reading(graded, explanation)),
        (labels.hint, step.hints.first().cloned().unwrap_or_default()),
        (labels.output, few_lines(&report.output)),
    ] {
        section(&mut message, label, &text, look);
    }
    message
}

/// The first and the last lines of what was printed: the message must fit on the screen.
fn few_lines(output: &str) -> String {
    const MOST: usize = 40;
    let lines: Vec<&str> = output.trim_end().lines().collect();
    if lines.len() <= MOST {
        return lines.join("\n");
    }
    let (head, tail) = (&lines[..MOST / 2], &lines[lines.len() - MOST / 2..]);
    [head, &["[…]"], tail].concat().join("\n")
}

fn timeline(report: &Report) -> String {
    let mut lines = String::new();
    for Moment { after, pid, event } in &report.timeline {
        let ms = after.as_secs_f64() * 1e3;
        let role = if *pid == report.check { words().labels.check } else { "" };
        let what = words().event(event, report.check);
        let _ = writeln!(lines, "{ms:>8.1} ms  {pid:>7} {role:<5}  {what}");
    }
    lines
}

fn reading(graded: &Graded, explanation: &Explanation) -> String {
    match explanation.read {
        Some((file, section)) => format!("{file}, \"{section}\""),
        None => graded.step.guides.join("\n"),
    }
}

/// A label, and its text next to it. Lines are wrapped between words, and indented.
fn section(message: &mut String, label: &str, text: &str, look: Look) {
    let style = if look.colours { AnsiColor::Cyan.on_default() } else { Style::new() };
    let indent = " ".repeat(LABEL + 2);
    let options = textwrap::Options::new(look.width).subsequent_indent(&indent).break_words(false);
    for (index, line) in text.lines().enumerate() {
        // A learner's output must not move the cursor, and must be valid text in XML, too.
        let is_text = |c: char| !c.is_control() && !('\u{fffe}'..='\u{ffff}').contains(&c);
        let line = line.replace('\t', "    ").replace(|c| !is_text(c), "\u{fffd}");
        let wrapped = textwrap::fill(&line, options.clone().initial_indent(&indent));
        let wrapped = wrapped.strip_prefix(&indent).unwrap_or(&wrapped);
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(message, "  {style}{label:<LABEL$}{style:#}{wrapped}");
    }
}
