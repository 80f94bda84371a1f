//! More workers, fewer workers.

use super::story::{Story, workers};
use crate::supervisor::{Policy, ScaleTo};

#[test]
fn up_is_at_once_and_down_takes_the_highest_slot() {
    let mut story = Story::runs(workers(2));
    story.scale(ScaleTo::Up).then(&["from 2 to 3", "tell 1: 3", "spawn 3 in slot 2, version 1"]);
    story.ready(3).scale(ScaleTo::Exactly(1)).then(&[
        "from 3 to 1",
        "tell 2: 1",
        "drain 3 (ScaleDown)",
    ]);
    // If one worker is left, two must not drain at the same time.
    story.exits(3, 0).then(&["3 left: exited with code 0", "drain 2 (ScaleDown)"]);
    assert_eq!(story.supervisor.desired(), 1);
}

#[test]
fn slots_that_serve_no_client_go_first() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(3) });
    story.ready(3).exits(1, 1).done();
    story.scale(ScaleTo::Down).then(&["from 3 to 2", "tell 1: 2"]);
    story.scale(ScaleTo::Down).then(&["from 2 to 1", "tell 2: 1", "cut 2"]);
    story.exits(2, 143).then(&["2 left: exited with code 143"]);
    // The first slot that was given up is the first to be reused.
    story.scale(ScaleTo::Up).then(&["from 1 to 2", "tell 3: 2", "spawn 4 in slot 0, version 1"]);
}

#[test]
fn limits_are_named() {
    let mut story = Story::runs(workers(1));
    let min = "tell 1: fewer than 1 workers are not allowed (the minimum)";
    story.scale(ScaleTo::Down).then(&[min]);
    let max = "tell 2: more than 8 workers are not allowed (the maximum)";
    story.scale(ScaleTo::Exactly(9)).then(&[max]);
}

#[test]
fn the_limit_on_draining_workers_holds() {
    let mut story = Story::runs(Policy { max_draining: Some(2), ..workers(5) });
    story.scale(ScaleTo::Exactly(1)).then(&[
        "from 5 to 1",
        "tell 1: 1",
        "drain 5 (ScaleDown)",
        "drain 4 (ScaleDown)",
    ]);
    assert_eq!(story.supervisor.desired(), 3);
    story.exits(4, 0).then(&["4 left: exited with code 0", "drain 3 (ScaleDown)"]);
}
