//! The suite as people use it: one exercise, strict, from an editor, in a classroom, with nextest.

use std::fs;

use crate::source::{self, holes, replace};
use crate::workshop::{Workshop, exercises};

/// A workbook in which `reap` is solved except its last step, and `frame::1` is wrong.
fn half_way() -> Workshop {
    let workshop = Workshop::open();
    let last = holes(&source::stub("reap")).pop().expect("it has steps");
    workshop.save("reap", &replace(&source::solution("reap"), &last));
    let wrong =
        source::stub("frame").replace("hole!(\"frame::1\", message)", "Ok(message.to_vec())");
    workshop.save("frame", &wrong);
    workshop
}

#[test]
fn one_exercise_runs_alone_and_nothing_else_is_printed() {
    let run = half_way().test(&["reap"]);
    assert_eq!(run.code, Some(0));
    let lines: Vec<&str> = run.stdout.lines().filter(|line| !line.is_empty()).collect();
    let begins = ["running 4 tests", "test reap::", "test reap::", "test reap::", "test reap::"];
    let ends = [
        "test result: ok. 3 passed; 0 failed; 1 ignored",
        "3 done · 0 failing · 1 not started · next: exercises/src/level_1/reap.rs:",
    ];
    let expected: Vec<&str> = begins.into_iter().chain(ends).collect();
    assert_eq!(lines.len(), expected.len(), "{}", run.stdout);
    for (line, begin) in lines.iter().zip(expected) {
        assert!(line.starts_with(begin), "{line:?} does not begin with {begin:?}");
    }
}

#[test]
fn a_failure_is_the_next_thing_to_do_and_the_run_fails() {
    let run = half_way().test(&[]);
    assert_eq!(run.code, Some(101));
    let last = run.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("3 done · 1 failing · "), "{last}");
    assert!(
        last.contains("next: exercises/src/level_1/frame.rs:") && last.contains("frame::1"),
        "{last}"
    );
    for part in [
        "expected  the frame of a message of 0 bytes: 00 00 00 00",
        "observed  nothing",
        "timeline",
        "cause",
        "read      level-1-basics/guides/05",
        "hint      exercises/hints/frame/1.md",
    ] {
        assert!(run.stdout.contains(part), "{part:?} is missing in\n{}", run.stdout);
    }
    assert!(!run.stdout.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn colours_are_for_terminals_or_on_request() {
    let run = half_way().test(&["frame::1", "--", "--color", "always"]);
    assert!(run.stdout.contains("\u{1b}[36mexpected"), "{}", run.stdout);
    let message = run.message("frame::1");
    assert!(!message.contains('\u{1b}'), "colours in JSON");
}

#[test]
fn a_strict_run_fails_for_a_step_that_is_not_started() {
    let workshop = half_way();
    let run = workshop.test(&["reap", "--", "--strict"]);
    assert_eq!(run.code, Some(101));
    assert_eq!(run.in_state("failing"), ["reap::4"]);
    assert!(run.stdout.contains("observed  the hole of reap::4 was reached"), "{}", run.stdout);
}

#[test]
fn an_unknown_name_is_reported() {
    let run = half_way().test(&["raep"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.contains("next: no step has this name"), "{}", run.stdout);
}

#[test]
fn a_wrong_option_or_an_unwritable_file_is_one_line() {
    let workshop = half_way();
    for (arguments, words) in [
        (["--", "--deadline", "0"], "0 is not in 1..=600"),
        (
            ["--", "--junit", "/no/such/folder/verdicts.xml"],
            "error: cannot write /no/such/folder/verdicts.xml: No such file",
        ),
    ] {
        let run = workshop.test(&arguments);
        assert_ne!(run.code, Some(0));
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn verdicts_are_written_for_editors_and_for_classrooms() {
    let workshop = half_way();
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("a path in UTF-8");
    let run = workshop.test(&["--", "--junit", path]);
    let line = &run.trials["frame::1"];
    assert_eq!(line["state"], "failing");
    assert_eq!(line["file"], "exercises/src/level_1/frame.rs");
    assert_eq!(line["verdict"]["failed"]["id"], "frame.encoded");
    let number = line["line"].as_u64().expect("a line");
    let text = source::stub("frame");
    let at = text.lines().nth(usize::try_from(number).expect("small") - 1).unwrap_or_default();
    assert!(at.starts_with("pub fn encode("), "{at}");
    let xml = fs::read_to_string(path).expect("it was written");
    let begin =
        format!("<testsuite name=\"exercises\" tests=\"{}\" failures=\"1\"", run.trials.len());
    assert!(xml.starts_with(&begin), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), run.trials.len());
    assert_eq!(xml.matches("<failure ").count(), 1);
    assert_eq!(xml.matches("<skipped ").count(), run.in_state("not started").len());
}

#[test]
fn one_exercise_compiles_when_another_does_not() {
    let workshop = Workshop::open();
    workshop.save("spawn", "this is not Rust");
    let broken = workshop.test(&["reap"]);
    assert!(broken.trials.is_empty() && broken.stderr.contains("spawn.rs"), "{}", broken.stderr);
    for id in exercises() {
        if id != "spawn" {
            let run = workshop.test(&["--no-default-features", "-F", &id]);
            assert!(run.states().keys().all(|trial| trial.starts_with(&format!("{id}::"))));
            assert!(!run.stderr.contains("warning"), "{id}:\n{}", run.stderr);
        }
    }
}

#[test]
fn a_list_for_runners_shows_steps_that_are_not_started() {
    let workshop = half_way();
    let ignored = workshop.test(&["--", "--list", "--format", "terse", "--ignored"]).stdout;
    assert!(ignored.contains("reap::4: test") && !ignored.contains("reap::3: test"), "{ignored}");
    assert!(!ignored.contains("frame::1: test"), "it has no hole any more:\n{ignored}");
    let all = workshop.test(&["--", "--list", "--format", "terse"]).stdout;
    assert!(all.contains("reap::3: test") && all.contains("reap::4: test"), "{all}");
}

#[test]
fn nextest_never_shows_an_unstarted_step_as_passed() {
    let workshop = half_way();
    let nextest = workshop.cargo(&["nextest", "run", "-p", "exercises", "reap"]).output();
    let nextest = nextest.expect("cargo runs");
    let shown = String::from_utf8_lossy(&nextest.stderr);
    if shown.contains("no such command") {
        return; // then it misleads no learner; the test above covers the same list
    }
    assert!(nextest.status.success() && shown.contains("3 tests run: 3 passed"), "{shown}");
    assert!(!shown.contains("reap::4"), "{shown}");
    // Solved, but waits for a step that is not: the list cannot show that, so the run must not pass.
    let start = holes(&source::stub("supervise")).remove(1);
    workshop.save("supervise", &replace(&source::solution("supervise"), &start));
    let mut nextest = workshop.cargo(&["nextest", "run", "-p", "exercises", "supervise::3"]);
    let output = nextest.output().expect("cargo runs");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && shown.contains("waits for supervise::2"), "{shown}");
}

#[test]
fn a_hole_counts_in_a_thread_and_not_in_a_comment() {
    let workshop = Workshop::open();
    let hole = "hole!(\"spawn::1\", work)";
    let commented = source::solution("spawn").replacen(
        "    match fork()? {",
        "    // hole!(\"spawn::1\", work)\n    match fork()? {",
        1,
    );
    workshop.save("spawn", &commented);
    let ignored = workshop.test(&["--", "--list", "--ignored"]).stdout;
    assert!(!ignored.contains("spawn::1"), "{ignored}");
    let thread = "{ drop(work); std::thread::spawn(|| -> () { hole!(\"spawn::1\") }).join().ok(); Ok(Pid::from_raw(1)) }";
    workshop.save("spawn", &source::stub("spawn").replacen(hole, thread, 1));
    let run = workshop.test(&["spawn::1"]);
    assert_eq!(run.in_state("not started"), ["spawn::1"], "{}", run.stdout);
    let child = "match fork()? { ForkResult::Child => { work(); hole!(\"spawn::1\") } ForkResult::Parent { child } => Ok(child) }";
    workshop.save("spawn", &source::stub("spawn").replacen(hole, child, 1));
    let run = workshop.test(&["spawn::1"]);
    assert_eq!(run.in_state("not started"), ["spawn::1"], "{}", run.stdout);
}

#[test]
fn it_works_without_the_solutions() {
    // The workshop has no folder `solutions`, and no line for it in its workspace.
    let workshop = Workshop::open();
    assert!(!workshop.has("solutions"));
    assert_eq!(workshop.test(&[]).code, Some(0));
}
