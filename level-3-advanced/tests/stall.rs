//! The program `stall`: both loops are run, and both see the stall in their longest latency.

use std::process::{Command, Output};

fn stall(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stall")).args(options).output().expect("it starts")
}

/// The cells of a row, for the closed and for the open loop.
fn cells(table: &str, row: &str) -> [String; 2] {
    let line = table.lines().find(|line| line.starts_with(&format!("{row} ")));
    let line = line.unwrap_or_else(|| panic!("no row {row} in:\n{table}"));
    let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "ms").collect();
    [words[1].to_owned(), words[2].to_owned()]
}

#[test]
fn both_loops_see_the_stall_and_the_plan_is_kept() {
    let output = stall(&["--duration", "2s", "--stall", "600ms", "--rate", "500"]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(cells(&table, "planned"), ["-", "1000"]);
    assert_eq!(cells(&table, "lost"), ["0", "0"]);
    for longest in cells(&table, "max") {
        assert!(longest.parse::<f64>().unwrap() >= 590.0, "{table}");
    }
}

#[test]
fn stall_that_fills_the_run_is_refused() {
    let output = stall(&["--duration", "2s", "--stall", "1100ms"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("at most half of --duration"), "{error}");
}
