//! Every wrong attempt fails exactly the checks that it should, with the recorded message.

use std::collections::BTreeMap;
use std::env;
use std::fs;

use serde_json::Value;

use crate::attempts::Attempt;
use crate::source;
use crate::workshop::{Run, Workshop, exercises};

#[test]
fn every_wrong_attempt_fails_its_checks_with_its_message() {
    let mut all: BTreeMap<String, Vec<Attempt>> =
        exercises().into_iter().map(|id| (id.clone(), Attempt::all(&id))).collect();
    let rounds = all.values().map(Vec::len).max().unwrap_or_default();
    let workshop = Workshop::open();
    let mut wrong = Vec::new();
    // The exercises are independent, so one round tries one attempt of each.
    for _ in 0..rounds {
        let attempts: Vec<Attempt> = all.values_mut().filter_map(Vec::pop).collect();
        for id in exercises() {
            workshop.save(&id, &source::solution(&id));
        }
        for attempt in &attempts {
            workshop.save(&attempt.exercise, &attempt.applied());
        }
        let run =
            workshop.test(&["--", "--test-threads", "2", "--deadline", "5", "--width", "10000"]);
        assert!(!run.trials.is_empty(), "an attempt does not compile:\n{}", run.stderr);
        for attempt in &attempts {
            wrong.extend(differences(attempt, &run));
        }
        let expected: Vec<&String> = attempts.iter().flat_map(|attempt| &attempt.fails).collect();
        for trial in run.in_state("failing") {
            if !expected.iter().any(|one| *one == trial) {
                wrong.push(format!(
                    "{trial} fails, but no attempt says so:\n{}",
                    run.message(trial)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(attempt: &Attempt, run: &Run) -> Vec<String> {
    let place = format!("{}/{}", attempt.exercise, attempt.name);
    let states = run.states();
    let mut wrong: Vec<String> = attempt
        .fails
        .iter()
        .filter(|trial| states[trial.as_str()] != "failing")
        .map(|trial| format!("{place}: {trial} should fail, but is {}", states[trial.as_str()]))
        .collect();
    if !wrong.is_empty() {
        return wrong;
    }
    let seen = recorded(attempt, run);
    let path = attempt.path.with_extension("txt");
    if env::var("GALLERY").is_ok_and(|value| value == "record") {
        fs::write(&path, seen).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return wrong;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if seen != expected {
        wrong.push(format!(
            "{place}: the message is not the recorded one. If it is better, \
             `GALLERY=record cargo test -p grader gallery` records it.\n\
             recorded:\n{expected}\nseen:\n{seen}"
        ));
    }
    wrong
}

/// The message of the first failure, without the parts that differ from run to run, and the names of
/// the others.
fn recorded(attempt: &Attempt, run: &Run) -> String {
    let (first, others) = attempt.fails.split_first().expect("an attempt fails something");
    let also = others.iter().map(|other| format!("also fails: {other} ({})\n", run.finding(other)));
    normal(first, run, attempt.races) + &also.collect::<String>()
}

fn normal(trial: &str, run: &Run, races: bool) -> String {
    let line = &run.trials[trial];
    let mut known = vec![line["check"].to_string()];
    line["timeline"]
        .as_array()
        .into_iter()
        .flatten()
        .for_each(|one| known.push(one["pid"].to_string()));
    pids_in(&line["verdict"], &mut known);
    let text = without_numbers(&without_timeline(&run.message(trial)));
    let mut seen = Vec::new();
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    let text: String = words.map(|word| word_of(word, &known, &mut seen, races)).collect();
    wrapped(&if races { merged(&text) } else { text })
}

/// All pids in a finding.
fn pids_in(value: &Value, known: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| pids_in(value, known)),
        Value::Object(values) => {
            for (name, value) in values {
                match value.as_array() {
                    Some(pids) if name == "pids" => known.extend(pids.iter().map(Value::to_string)),
                    _ => pids_in(value, known),
                }
            }
        }
        _ => {}
    }
}

/// A word of the text, in which the pid is replaced by its position among the pids of the text.
fn word_of(word: &str, known: &[String], seen: &mut Vec<String>, races: bool) -> String {
    let number = word.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    if !known.iter().any(|pid| pid == number) {
        return word.to_owned();
    }
    if races {
        return word.replacen(number, "PID", 1);
    }
    let place = seen.iter().position(|pid| pid == number).unwrap_or_else(|| {
        seen.push(number.to_owned());
        seen.len() - 1
    });
    word.replacen(number, &format!("PID{}", place + 1), 1)
}

/// The text at the width that a learner sees. It is wrapped only now, because pids differ in length.
fn wrapped(text: &str) -> String {
    let options = textwrap::Options::new(96).subsequent_indent("            ").break_words(false);
    text.lines().map(|line| textwrap::fill(line, &options) + "\n").collect()
}

/// `PID, PID` as `PID`: the race also decides how many there are.
fn merged(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("PID, PID") {
        text = text.replace("PID, PID", "PID");
    }
    text
}

/// The kernel chooses ports; the number of a line depends on the solution.
fn without_numbers(message: &str) -> String {
    ["127.0.0.1:", "sport = :", ".rs:"].iter().fold(message.to_owned(), |text, before| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + before + part.trim_start_matches(|letter: char| letter.is_ascii_digit())
        })
    })
}

/// The section `timeline` ends where the next label begins.
fn without_timeline(message: &str) -> String {
    let is_label = |line: &str| line.starts_with("  ") && !line.starts_with("   ");
    let mut inside = false;
    let kept = message.split_inclusive('\n').filter(|line| {
        if is_label(line) {
            inside = line.starts_with("  timeline ");
        }
        !inside
    });
    kept.collect()
}
