//! The lessons of `await-points`: the order of their lines, not the times.

use std::process::Command;

/// The lines of a lesson, without their times.
fn lesson(name: &str) -> Vec<String> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_await-points")).arg(name).output().expect("it runs");
    assert!(output.status.success(), "{name}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("it is text");
    let words = |line: &str| {
        let (_, words) = line.split_once(" ms ").expect("each line has its time");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).collect()
}

/// The place of a line that begins like this.
fn place(lines: &[String], beginning: &str) -> usize {
    let found = lines.iter().position(|line| line.starts_with(beginning));
    found.unwrap_or_else(|| panic!("no {beginning:?} in {lines:?}"))
}

#[test]
fn future_runs_only_when_it_is_polled() {
    assert_eq!(
        lesson("by-hand"),
        [
            "main has a future; none of it has run",
            "future begins",
            "main poll returned Pending",
            "future continues after its first await",
            "main poll returned Pending",
            "future ends",
            "main poll returned Ready(7)",
        ]
    );
}

#[test]
fn tasks_take_turns_at_their_await_points() {
    let lines = lesson("tasks");
    let (begins, ends) = (place(&lines, "worker begins"), place(&lines, "worker ends"));
    let tick = place(&lines, "ticker tick 1");
    assert!(begins < tick && tick < ends, "{lines:?}");
}

#[test]
fn blocking_call_holds_up_every_task_of_the_thread() {
    let lines = lesson("blocking");
    let begins = place(&lines, "worker begins");
    assert_eq!(place(&lines, "worker ends"), begins + 1, "nothing in between: {lines:?}");
    assert!(place(&lines, "ticker tick 1") > begins, "{lines:?}");
}

#[test]
fn loser_of_a_select_is_dropped() {
    assert_eq!(
        lesson("select"),
        ["slow begins", "guard the slow future is dropped", "main the timer was first"]
    );
}

#[test]
fn dropped_read_loses_its_bytes() {
    let lines = lesson("lost");
    assert!(lines[0].ends_with("its read is dropped"), "{lines:?}");
    let last = lines.last().expect("it prints");
    assert_eq!(last, "reader a frame of 1819045632 bytes? Those were letters", "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("got")), "{lines:?}");
}

#[test]
fn kept_read_gets_every_frame() {
    let lines = lesson("kept");
    assert!(lines[0].ends_with("its read is kept"), "{lines:?}");
    assert!(place(&lines, "reader got \"hello\"") < place(&lines, "reader got \"again\""));
}
