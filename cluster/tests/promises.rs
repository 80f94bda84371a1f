//! Each promise on the crate's front page names tests that exist.

#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fs;

/// The parts of a text between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Trials that belong to no promise: they show what an operator or a program can do.
const WITHOUT_A_NUMBER: [&str; 2] = ["operating", "messages"];

fn scenarios() -> BTreeSet<String> {
    let files = fs::read_dir("tests/acceptance").expect("the tests are here").flatten();
    let sources = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let named = |source: String| -> Vec<String> {
        let names = source.lines().filter_map(|line| line.trim().strip_prefix("(\""));
        let names = names.filter(|name| name.contains("\", &["));
        let groups = names.filter_map(|name| name.split_once('_')).map(|(group, _)| group);
        groups.filter(|group| !WITHOUT_A_NUMBER.contains(group)).map(str::to_owned).collect()
    };
    sources.flat_map(named).collect()
}

#[test]
fn each_promise_names_tests_and_each_scenario_keeps_a_promise() {
    let page = fs::read_to_string("src/lib.rs").expect("the crate is here");
    let (_, promises) = page.split_once("# Promises").expect("the page has promises");
    let (promises, _) = promises.split_once("# What is not").expect("and their limits");
    let promises = promises.replace("//!", " ");
    let tests = scenarios();
    let mut named = BTreeSet::new();
    for (number, promise) in (1..).zip(promises.split(". **").skip(1)) {
        let (_, kept_by) = promise.split_once("Tests:").unwrap_or_else(|| {
            panic!("promise {number} names no test: {promise}");
        });
        for test in quoted(kept_by) {
            assert!(tests.contains(test), "promise {number} names {test}, which does not exist");
            named.insert(test.to_owned());
        }
    }
    assert_eq!(named, tests, "scenarios that keep a promise, and all scenarios");
    let all: BTreeSet<String> = (1..=60).map(|number| format!("s{number:02}")).collect();
    assert_eq!(tests, all, "all 60 scenarios are tests, and no trial has another name");
}
