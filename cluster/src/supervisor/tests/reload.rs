//! Rolling reload, and versions that are broken.

use super::story::{Story, ms, seconds, workers};
use crate::supervisor::{Input, Policy, ScaleTo, WorkerId};

#[test]
fn slots_are_replaced_one_by_one_as_old_workers_close() {
    let mut story = Story::runs(workers(2));
    story.reload(2).then(&["reload to 2", "spawn 3 in slot 0, version 2"]);
    story.ready(3).then(&["drain 1 (Reload)"]);
    story.closes(1).then(&["1 accepts no more", "spawn 4 in slot 1, version 2"]);
    story.ready(4).then(&["drain 2 (Reload)"]);
    // The worker has left without a message; that is enough.
    story.exits(2, 0);
    story.then(&["2 left: exited with code 0", "reloaded to 2", "tell 1: 2"]);
    story.exits(1, 0).then(&["1 left: exited with code 0", "forget version 1"]);
}

#[test]
fn a_newcomer_must_stay_ready_for_a_while() {
    let mut story = Story::runs(Policy { min_ready: seconds(3), ..workers(1) });
    story.reload(2).ready(2).done();
    story.wait(ms(2999)).then(&[]);
    story.wait(ms(1)).then(&["drain 1 (Reload)"]);
}

#[test]
fn surge_of_two_brings_two_newcomers() {
    let mut story = Story::runs(Policy { surge: 2, ..workers(3) });
    let first = ["reload to 2", "spawn 4 in slot 0, version 2", "spawn 5 in slot 1, version 2"];
    story.reload(2).then(&first);
    story.ready(5).then(&["drain 2 (Reload)"]);
    story.closes(2).then(&["2 accepts no more", "spawn 6 in slot 2, version 2"]);
}

#[test]
fn a_crash_elsewhere_shuts_the_gate() {
    let mut story = Story::runs(workers(2));
    story.reload(2).exits(2, 1).done();
    story.ready(3).then(&[]);
    story.ready(4).then(&["drain 1 (Reload)"]);
}

/// Acceptance 12.
#[test]
fn a_version_that_exits_at_boot_fails_and_harms_no_worker() {
    let mut story = Story::runs(workers(2));
    story.reload(2).done();
    story.exits(3, 3).then(&[
        "3 crashed: exited with code 3",
        "reload to 2 failed",
        "tell 1: worker 3 (slot 0) of the new version exited with code 3 before it was ready; \
         0 of 2 slots run the new version",
        "forget version 2",
    ]);
    assert_eq!(story.supervisor.ready(), 2);
}

/// Acceptance 13.
#[test]
fn a_version_that_is_never_ready_and_ignores_term_is_killed() {
    let mut story = Story::runs(workers(1));
    story.reload(2).done();
    story.wait(seconds(30)).then(&[
        "2 was not ready within 30s: it has not reached cluster::run",
        "cut 2",
        "reload to 2 failed",
        "tell 1: worker 2 (slot 0) of the new version was not ready within 30s: it has not reached cluster::run; \
         0 of 1 slots run the new version",
    ]);
    story.wait(seconds(2)).then(&["Kill 2"]);
    story.is_killed(2).then(&["2 crashed: was killed by SIGKILL", "forget version 2"]);
    assert_eq!(story.supervisor.ready(), 1);
}

/// Acceptance 14.
#[test]
fn a_second_reload_is_refused() {
    let mut story = Story::runs(workers(1));
    story.reload(2).done();
    story.reload(3).then(&[
        "forget version 3",
        "tell 2: a reload is under way (generation 2); wait for it to end",
    ]);
}

/// Acceptance 15.
#[test]
fn a_stop_takes_precedence_over_a_reload() {
    let mut story = Story::runs(workers(1));
    story.reload(2).done();
    story.tell(Input::Stop).then(&[
        "stopping",
        "reload to 2 failed",
        "tell 1: the cluster is stopping",
        "drain 1 (Stop)",
        "hurry 1",
        "cut 2",
    ]);
}

/// Acceptance 17 and 24.
#[test]
fn a_cluster_that_is_stuck_is_recovered_by_a_reload() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(2) });
    story.exits(1, 1).exits(2, 1).done();
    story.reload(2).then(&[
        "reload to 2",
        "spawn 3 in slot 0, version 2",
        "spawn 4 in slot 1, version 2",
    ]);
    story.ready(3).ready(4).then(&["reloaded to 2", "tell 1: 2", "forget version 1"]);
}

#[test]
fn a_reload_that_does_not_help_leaves_the_old_version() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(1) });
    story.exits(1, 1).reload(2).done();
    story.exits(2, 1).then(&[
        "2 crashed: exited with code 1",
        "reload to 2 failed",
        "tell 1: worker 2 (slot 0) of the new version exited with code 1 before it was ready; \
         0 of 1 slots run the new version",
        "spawn 3 in slot 0, version 1",
        "forget version 2",
    ]);
    story.exits(3, 1).then(&["3 crashed: exited with code 1", "slot 0 errored, death 1"]);
}

/// Acceptance 36.
#[test]
fn newcomer_that_dies_after_its_step_brings_back_the_old() {
    let mut story = Story::runs(workers(2));
    story.reload(2).ready(3).closes(1).exits(1, 0).wait(ms(120)).done();
    story.exits(3, 3).then(&[
        "3 crashed: exited with code 3",
        "cut 4",
        "reload to 2 failed",
        "tell 1: worker 3 (slot 0) of the new version exited with code 3, 120ms after it was \
         ready; 0 of 2 slots run the new version",
        "spawn 5 in slot 0, version 1",
    ]);
    story.is_killed(4).ready(5).then(&["4 left: was killed by SIGKILL", "forget version 2"]);
}

#[test]
fn new_ready_workers_stay_when_a_later_step_fails() {
    let mut story = Story::runs(workers(2));
    story.reload(2).ready(3).closes(1).exits(1, 0).done();
    story.tell(Input::Broken(WorkerId(4), "version 9".to_owned())).then(&[
        "4 broke the protocol: version 9",
        "cut 4",
        "reload to 2 failed",
        "tell 1: worker 4 (slot 1) of the new version broke the protocol: version 9; \
         1 of 2 slots run the new version",
    ]);
    // A crash brings back the version that the slot had.
    story.exits(4, 1).wait(seconds(60)).done();
    story.exits(3, 1).exits(2, 1).then(&[
        "3 crashed: exited with code 1",
        "spawn 5 in slot 0, version 2",
        "2 crashed: exited with code 1",
        "spawn 6 in slot 1, version 1",
    ]);
}

/// A reload that has failed in slot 1, while slot 0 runs the new version.
fn mixed() -> Story {
    let mut story = Story::runs(workers(2));
    story.reload(2).ready(3).closes(1).exits(1, 0).exits(4, 3).done();
    story
}

#[test]
fn new_worker_that_dies_early_after_a_failed_reload_is_the_last() {
    let mut story = mixed();
    story.exits(3, 3).then(&[
        "3 crashed: exited with code 3",
        "spawn 5 in slot 0, version 1",
        "forget version 2",
    ]);
    // The version before it is now an ordinary one again.
    story.ready(5).exits(5, 1);
    story.then(&["5 crashed: exited with code 1", "slot 0 backs off, death 1"]);
}

#[test]
fn worker_on_probation_is_replaced_by_one_of_the_old_version() {
    let mut story = mixed();
    story.tell(Input::Terminated(WorkerId(3)));
    let done = story.done();
    assert!(done.iter().any(|line| line == "spawn 5 in slot 0, version 1"), "{done:?}");
}

#[test]
fn slot_on_probation_falls_back_over_two_failed_reloads() {
    let mut story = mixed();
    story.reload(3).ready(5).closes(3).exits(3, 0).exits(5, 3);
    let done = story.done();
    let last = done.iter().rfind(|line| line.starts_with("spawn")).expect("a slot is empty");
    assert!(last.ends_with("in slot 0, version 1"), "{done:?}");
}

#[test]
fn ready_newcomer_leaves_if_the_reload_fails_before_take_over() {
    let mut story = Story::runs(Policy { surge: 2, min_ready: seconds(5), ..workers(2) });
    story.reload(2).ready(3).done();
    story.exits(4, 1);
    let done = story.done();
    assert_eq!(done.last().map(String::as_str), Some("drain 3 (ReloadFailed)"), "{done:?}");
}

#[test]
fn slots_added_during_a_reload_start_with_the_new_version() {
    let mut story = Story::runs(workers(1));
    story.reload(2).done();
    story.scale(ScaleTo::Up).then(&["from 1 to 2", "tell 2: 2", "spawn 3 in slot 1, version 2"]);
}

#[test]
fn planned_replacement_ends_before_its_slot_is_reloaded() {
    let mut story = Story::runs(Policy { memory_limit: Some(1000), ..workers(1) });
    story.tell(Input::Memory(WorkerId(1), 1001)).then(&["spawn 2 in slot 0, version 1"]);
    story.reload(2).then(&["reload to 2"]);
    story.ready(2).then(&["drain 1 (MemoryLimit)", "spawn 3 in slot 0, version 2"]);
    story.exits(1, 0).ready(3).closes(2);
    story.then(&[
        "1 left: exited with code 0",
        "drain 2 (Reload)",
        "2 accepts no more",
        "reloaded to 2",
        "tell 1: 1",
    ]);
}

#[test]
fn a_slot_that_is_given_up_is_not_waited_for() {
    let mut story = Story::runs(workers(2));
    story.reload(2).ready(3).closes(1).done();
    story.scale(ScaleTo::Down);
    // One is already draining, which is the limit when one worker is wanted.
    story.then(&["from 2 to 1", "tell 2: 1"]);
    story.exits(1, 0).then(&[
        "1 left: exited with code 0",
        "cut 4",
        "drain 2 (ScaleDown)",
        "reloaded to 2",
        "tell 1: 1",
    ]);
}
