//! Each promise of the crate's first page names tests, and they exist.

#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fs;

/// What stands between backquotes in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn scenarios() -> BTreeSet<String> {
    let files = fs::read_dir("tests/acceptance").expect("the tests are here").flatten();
    let sources = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let named = |source: String| -> Vec<String> {
        let names = source.lines().filter_map(|line| line.trim().strip_prefix("(\"s"));
        let numbers = names.filter_map(|name| name.split_once('_')).map(|(number, _)| number);
        numbers.filter(|it| it.parse::<u8>().is_ok()).map(|number| format!("s{number}")).collect()
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
    let all: BTreeSet<String> = (1..=37).map(|number| format!("s{number:02}")).collect();
    assert_eq!(tests, all, "all 37 scenarios are tests");
}
