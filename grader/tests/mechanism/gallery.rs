//! Every wrong attempt fails exactly the checks that it should, with the recorded message.

use std::collections::BTreeMap;
use std::env;
use std::fs;

use crate::attempts::Attempt;
use crate::source;
use crate::workshop::{Run, Workshop, exercises};

#[test]
fn every_wrong_attempt_is_caught_by_the_checks_that_should_and_explained() {
    let mut all: BTreeMap<String, Vec<Attempt>> =
        exercises().into_iter().map(|id| (id.clone(), Attempt::all(&id))).collect();
    let rounds = all.values().map(Vec::len).max().unwrap_or_default();
    let workshop = Workshop::open();
    let mut wrong = Vec::new();
    // The exercises are independent, so that one round tries one attempt of each.
    for _ in 0..rounds {
        let attempts: Vec<Attempt> = all.values_mut().filter_map(Vec::pop).collect();
        for id in exercises() {
            workshop.save(&id, &source::solution(&id));
        }
        for attempt in &attempts {
            workshop.save(&attempt.exercise, &attempt.applied());
        }
        let run = workshop.test(&["--", "--deadline", "5"]);
        assert!(!run.trials.is_empty(), "an attempt does not compile:\n{}", run.stderr);
        for attempt in &attempts {
            wrong.extend(differences(attempt, &run));
        }
        let expected: Vec<&String> = attempts.iter().flat_map(|attempt| &attempt.fails).collect();
        for trial in run.in_state("failing") {
            if !expected.iter().any(|one| *one == trial) {
                wrong.push(format!(
                    "{trial} fails, and no attempt says so:\n{}",
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
        .map(|trial| format!("{place}: {trial} should fail, and is {}", states[trial.as_str()]))
        .collect();
    if !wrong.is_empty() {
        return wrong;
    }
    let seen = recorded(attempt, run);
    let path = attempt.path.with_extension("txt");
    if env::var("GALLERY").is_ok_and(|what| what == "record") {
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

/// The message of the first failure, without what differs from run to run, and the names of the
/// others.
fn recorded(attempt: &Attempt, run: &Run) -> String {
    let (first, others) = attempt.fails.split_first().expect("an attempt fails something");
    let mut text = normal(first, run);
    for other in others {
        text += &format!("also fails: {other} ({})\n", run.finding(other));
    }
    text
}

fn normal(trial: &str, run: &Run) -> String {
    let line = &run.trials[trial];
    let timeline = line["timeline"].as_array().cloned().unwrap_or_default();
    let mut pids: Vec<String> = vec![line["check"].to_string()];
    for moment in timeline {
        let pid = moment["pid"].to_string();
        if !pids.contains(&pid) {
            pids.push(pid);
        }
    }
    without_timeline(&run.message(trial))
        .split_inclusive(|letter: char| !letter.is_ascii_alphanumeric())
        .map(|word| word_of(word, &pids))
        .collect()
}

/// A pid by its place among those of this check. The number of a line depends on the solution.
fn word_of(word: &str, pids: &[String]) -> String {
    let number = word.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    match pids.iter().position(|pid| pid == number) {
        Some(place) => word.replacen(number, &format!("PID{place}"), 1),
        None => word.to_owned(),
    }
}

/// The section `timeline` ends where the next label begins.
fn without_timeline(message: &str) -> String {
    let is_label = |line: &str| line.starts_with("  ") && !line.starts_with("   ");
    let mut inside = false;
    let mut kept = String::new();
    for line in message.lines() {
        if is_label(line) {
            inside = line.starts_with("  timeline ");
        }
        if !inside {
            let place = line.strip_prefix("  file ").and_then(|line| line.split_once(".rs:"));
            match place {
                Some((file, rest)) => {
                    let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
                    kept += &format!("  file {file}.rs{rest}\n");
                }
                None => kept += &format!("{line}\n"),
            }
        }
    }
    kept
}
