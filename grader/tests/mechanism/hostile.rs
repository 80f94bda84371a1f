//! Code that resists the grader: it cannot pass, hang the run, or spoil another check.

use std::sync::LazyLock;

use crate::attempts::Attempt;
use crate::source;
use crate::workshop::{Run, Workshop, exercises};

/// The runs, each with at most one hostile file for each exercise.
static RUNS: LazyLock<Vec<(Vec<Attempt>, Run)>> = LazyLock::new(|| {
    let workshop = Workshop::open();
    let mut left = Attempt::all("hostile");
    let mut runs = Vec::new();
    while !left.is_empty() {
        let mut attempts: Vec<Attempt> = Vec::new();
        for id in exercises() {
            workshop.save(&id, &source::solution(&id));
            if let Some(at) = left.iter().position(|attempt| attempt.exercise == id) {
                attempts.push(left.remove(at));
            }
        }
        for attempt in &attempts {
            workshop.save(&attempt.exercise, &attempt.applied());
        }
        let run = workshop.test(&["--", "--test-threads", "2", "--deadline", "5"]);
        assert!(!run.trials.is_empty(), "it does not compile:\n{}", run.stderr);
        runs.push((attempts, run));
    }
    runs
});

/// Checks that the attempt fails its trials with its finding, and that all other trials pass.
fn is_caught(name: &str) -> &'static Run {
    let mut all = RUNS.iter();
    let (attempts, run) = all
        .find(|(attempts, _)| attempts.iter().any(|attempt| attempt.name == name))
        .unwrap_or_else(|| panic!("there is no gallery/hostile/{name}.rs"));
    let attempt = attempts.iter().find(|attempt| attempt.name == name).expect("it was found");
    let failing: Vec<&str> = run
        .in_state("failing")
        .into_iter()
        .filter(|trial| trial.split("::").next() == Some(&attempt.exercise))
        .collect();
    let message = run.message(&attempt.fails[0]);
    assert_eq!(failing, attempt.fails, "{name} fails other trials\n{message}");
    assert_eq!(run.finding(&attempt.fails[0]), attempt.finding, "{message}");
    let hostile = attempts.iter().flat_map(|attempt| &attempt.fails).count();
    assert_eq!(run.in_state("failing").len(), hostile, "another check was spoiled");
    assert_eq!(run.in_state("not started").len(), 0);
    assert_eq!(run.code, Some(101), "{}", run.stderr);
    run
}

#[test]
fn exit_0_is_not_a_success() {
    is_caught("exits-with-0");
}

#[test]
fn a_fork_that_returns_twice_is_noticed() {
    is_caught("forks-and-returns");
}

#[test]
fn a_fork_bomb_is_ended() {
    is_caught("forks-without-end");
}

#[test]
fn a_tight_loop_of_forks_ends_at_the_deadline_and_is_named() {
    is_caught("forks-one-after-another");
}

#[test]
fn an_infinite_loop_ends_at_the_deadline() {
    is_caught("loops-for-ever");
}

#[test]
fn a_signal_to_its_own_group_hits_no_other_check() {
    is_caught("kills-its-group");
}

#[test]
fn a_daemon_in_a_session_of_its_own_is_found_and_ended() {
    is_caught("leaves-the-group");
}

#[test]
fn a_process_that_leaves_every_group_is_ended() {
    is_caught("runs-away");
}

#[test]
fn a_closed_stdout_is_noticed() {
    is_caught("closes-stdout");
}

#[test]
fn ten_megabytes_of_output_are_read_and_cut() {
    let run = is_caught("prints-ten-megabytes");
    let message = run.message("listen::1");
    assert!(message.len() < 20_000 && message.contains("[…]"), "{}", message.len());
}

#[test]
fn a_removed_working_directory_harms_no_other_check() {
    is_caught("removes-its-folder");
}

#[test]
fn a_killed_warden_is_noticed_and_its_orphans_are_ended() {
    is_caught("kills-the-warden");
}

#[test]
fn a_stopped_warden_does_not_stop_the_run() {
    is_caught("stops-the-warden");
}

#[test]
fn memory_has_a_limit() {
    is_caught("wants-all-the-memory");
}

#[test]
fn a_stopped_check_is_not_waited_for() {
    is_caught("stops-itself");
}

#[test]
fn a_panic_in_a_child_stays_there() {
    is_caught("panics-in-a-worker");
}
