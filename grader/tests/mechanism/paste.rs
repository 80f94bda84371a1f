//! A solved step turns ok: exactly that step, and no other.

use crate::source::{self, holes, replace};
use crate::workshop::{Workshop, exercises};

#[test]
fn a_fresh_clone_has_nothing_started_and_its_run_is_green() {
    let run = Workshop::open().test(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.in_state("not started").len(), run.trials.len());
    let last = run.stdout.lines().last().unwrap_or_default();
    let begin = format!("0 done · 0 failing · {} not started · next: ", run.trials.len());
    assert!(last.starts_with(&begin), "{last}");
    assert!(last.contains("exercises/src/level_1/spawn.rs:"), "{last}");
    let readme = source::read(source::root().join("README.md"));
    assert!(readme.contains(last), "README.md shows another last line than {last}");
    assert!(!run.stderr.contains("warning"), "a stub has a warning:\n{}", run.stderr);
    for (trial, line) in &run.trials {
        let task =
            format!("{} — {}", line["file"].as_str().unwrap(), line["task"].as_str().unwrap());
        let has_task =
            |line: &&str| line.starts_with(&format!("test {trial} ")) && line.contains(&task);
        assert!(run.stdout.lines().any(|line| has_task(&line)), "{task}\n{}", run.stdout);
    }
}

#[test]
fn output_for_one_exercise_is_on_the_page_of_the_exercises() {
    let run = Workshop::open().test(&["spawn"]);
    let page = source::read(source::root().join("exercises/README.md"));
    let (_, shown) = page.split_once("$ cargo test -p exercises spawn\n").expect("it is shown");
    let (shown, _) = shown.split_once("```").expect("the block ends");
    let lines = |text: &str| -> Vec<String> {
        let known = |line: &str| line.split("; finished in").next().unwrap_or_default().to_owned();
        text.lines().filter(|line| !line.is_empty()).map(known).collect()
    };
    assert_eq!(lines(shown), lines(&run.stdout));
}

#[test]
fn one_solution_pasted_turns_exactly_that_exercise_ok() {
    let workshop = Workshop::open();
    for id in exercises() {
        workshop.save(&id, &source::solution(&id));
        let run = workshop.test(&[]);
        workshop.save(&id, &source::stub(&id));
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        for (trial, state) in run.states() {
            let mine = trial.split("::").next() == Some(&id);
            assert_eq!(state, if mine { "done" } else { "not started" }, "{trial}, {id} pasted");
        }
    }
}

#[test]
fn the_first_steps_pasted_turn_exactly_those_ok() {
    let workshop = Workshop::open();
    let most = exercises().iter().map(|id| holes(&source::stub(id)).len()).max();
    for solved in 1..most.unwrap_or_default() {
        for id in exercises() {
            let left = holes(&source::stub(&id)).into_iter().skip(solved);
            let text = left.fold(source::solution(&id), |text, hole| replace(&text, &hole));
            workshop.save(&id, &text);
        }
        let run = workshop.test(&[]);
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        for (trial, state) in run.states() {
            let step: usize = trial.split("::").nth(1).expect("a step").parse().expect("a number");
            let expected = if step <= solved { "done" } else { "not started" };
            assert_eq!(state, expected, "{trial}, with the first {solved} steps pasted");
        }
    }
}
