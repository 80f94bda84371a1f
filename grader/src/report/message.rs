//! What a learner reads when a check has failed: what was done, what was expected, what was observed,
//! when, why, and where to go from here. Their own output comes last.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::Graded;
use crate::verdict::Verdict;
use crate::wire::{Finding, Value};
use crate::words::{Explanation, words};

/// The width of the labels, and of all of it, in columns.
const LABEL: usize = 10;
const WIDTH: usize = 96;

/// The whole message.
#[must_use]
pub fn text(graded: &Graded, colours: bool) -> String {
    let labels = &words().labels;
    let mut message = before_the_timeline(graded, colours);
    let check = graded.report.check;
    let lines: Vec<String> = graded
        .report
        .timeline
        .iter()
        .map(|moment| {
            let ms = moment.after.as_secs_f64() * 1e3;
            let who = if moment.pid == check { labels.check } else { "" };
            format!("{ms:>8.1} ms  {:>7} {who:<6}{}", moment.pid, moment.what)
        })
        .collect();
    section(&mut message, labels.timeline, &lines.join("\n"), colours);
    message += &after_the_timeline(graded, colours);
    message
}

fn before_the_timeline(graded: &Graded, colours: bool) -> String {
    let labels = &words().labels;
    let (_, finding) = explained(graded);
    let explanation = words().explanation(&finding.id);
    let bold = if colours { Style::new().bold() } else { Style::new() };
    let step = &graded.step;
    let mut message = format!("{bold}{}  {}{bold:#}\n", step.trial, step.task);
    let mut add = |label, text: &str| section(&mut message, label, text, colours);
    add(labels.file, &format!("{}, fn {}", graded.place(), step.function));
    add(labels.done, words().done(&step.trial));
    add(labels.expected, &filled(explanation.expected, &finding, graded.report.check));
    add(labels.observed, &filled(explanation.observed, &finding, graded.report.check));
    message
}

fn after_the_timeline(graded: &Graded, colours: bool) -> String {
    let labels = &words().labels;
    let (_, finding) = explained(graded);
    let explanation = words().explanation(&finding.id);
    let mut message = String::new();
    let mut add = |label, text: &str| section(&mut message, label, text, colours);
    add(labels.cause, &filled(explanation.cause, &finding, graded.report.check));
    add(labels.read, &reading(graded, explanation));
    add(labels.hint, &graded.step.hint());
    add(labels.output, graded.report.output.trim_end());
    message
}

/// What is to be explained. A step that is not started needs no more than that, even where it counts
/// as failed.
fn explained(graded: &Graded) -> (bool, Finding) {
    match &graded.report.verdict {
        Verdict::Failed(finding) => (true, finding.clone()),
        Verdict::NotStarted(step) => {
            (false, Finding::new("not-started").with("step", step.clone()))
        }
        Verdict::Passed => (false, Finding::new("passed")),
    }
}

fn reading(graded: &Graded, explanation: &Explanation) -> String {
    match explanation.read {
        Some((file, section)) => format!("{file}, \"{section}\""),
        None => graded.step.guides.join("\n"),
    }
}

/// A label, and its text beside it. Lines are wrapped between words, and indented.
fn section(message: &mut String, label: &str, text: &str, colours: bool) {
    if text.is_empty() {
        return;
    }
    let style = if colours { AnsiColor::Cyan.on_default() } else { Style::new() };
    let indent = " ".repeat(LABEL + 2);
    let options = textwrap::Options::new(WIDTH).subsequent_indent(&indent).break_words(false);
    for (index, line) in text.lines().enumerate() {
        let wrapped = textwrap::fill(line, options.clone().initial_indent(&indent));
        let wrapped = wrapped.strip_prefix(&indent).unwrap_or(&wrapped);
        let label = if index == 0 { label } else { "" };
        let _ = writeln!(message, "  {style}{label:<LABEL$}{style:#}{wrapped}");
    }
}

/// `sentence` with the finding's values in its `{places}`.
fn filled(sentence: &str, finding: &Finding, check: i32) -> String {
    let mut filled = sentence.to_owned();
    for (name, value) in &finding.values {
        filled = filled.replace(&format!("{{{name}}}"), &shown(value, check));
    }
    filled
}

fn shown(value: &Value, check: i32) -> String {
    let one = |pid: &i32| {
        if *pid == check { format!("{pid} ({})", words().labels.check) } else { pid.to_string() }
    };
    match value {
        Value::Text(text) | Value::Varying(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Pids(pids) if pids.is_empty() => words().labels.nobody.to_owned(),
        Value::Pids(pids) => pids.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
