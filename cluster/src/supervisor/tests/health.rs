//! Hangs, limits, and a machine that sleeps.

use super::story::{Story, ms, seconds, workers};
use crate::supervisor::{Input, Policy, Vitals, WorkerId};

fn with_heartbeat() -> Policy {
    Policy { heartbeat: Some(seconds(10)), ..workers(2) }
}

/// Acceptance 22.
#[test]
fn a_hung_worker_gets_abrt_then_kill_then_a_successor() {
    let mut story = Story::starts(with_heartbeat());
    story.ready(1).ready(2).done();
    for _ in 0..2 {
        story.wait(seconds(10)).beats(2);
    }
    story.then(&[]);
    story.wait(seconds(5)).then(&["1 sent no heartbeat for 25s", "Abort 1"]);
    story.beats(2).wait(seconds(5)).then(&["Kill 1"]);
    story.is_killed(1);
    story.then(&["1 crashed: was killed by SIGKILL", "spawn 3 in slot 0, version 1"]);
}

#[test]
fn one_lost_heartbeat_and_a_late_one_are_forgiven() {
    let mut story = Story::starts(with_heartbeat());
    story.ready(1).ready(2).done();
    for _ in 0..5 {
        story.wait(seconds(22)).beats(1).beats(2).then(&[]);
    }
}

/// Acceptance 22.
#[test]
fn a_machine_that_slept_does_not_kill_all_workers() {
    let mut story = Story::starts(with_heartbeat());
    story.ready(1).ready(2).done();
    story.wait(seconds(9)).sleep(seconds(3600)).wait(seconds(10)).then(&[]);
    story.beats(1).wait(seconds(16)).then(&["2 sent no heartbeat for 25s", "Abort 2"]);
}

/// Acceptance 22.
#[test]
fn sleep_of_any_length_at_any_period_is_not_silence() {
    for period in [ms(200), ms(500), seconds(1), seconds(5), seconds(30)] {
        let mut story = Story::starts(Policy { heartbeat: Some(period), ..workers(2) });
        story.ready(1).ready(2).done();
        for tenths in 1..100 {
            // The workers have just reported, or are about to, when everything stands still.
            for before in [ms(0), period * 9 / 10] {
                story.beats(1).beats(2).wait(before).sleep(period * tenths / 10);
                story.wait(period / 10).then(&[]);
            }
        }
        story.beats(1).wait(period * 3).done();
        assert!(story.supervisor.dying() > 0, "{period:?}: silence still counts");
    }
}

#[test]
fn deadlines_move_by_the_time_slept() {
    let mut story = Story::starts(workers(1));
    story.wait(seconds(10)).done();
    story.sleep(seconds(3600)).wait(seconds(15)).then(&[]);
    story
        .wait(seconds(5))
        .then(&["1 was not ready within 30s: it has not reached cluster::run", "cut 1"]);
}

/// Acceptance 25.
#[test]
fn only_the_worker_over_its_memory_limit_is_drained() {
    let mut story = Story::runs(Policy { memory_limit: Some(1000), ..workers(2) });
    story.tell(Input::Memory(WorkerId(1), 1000)).then(&[]);
    story.tell(Input::Memory(WorkerId(2), 1001)).then(&["spawn 3 in slot 1, version 1"]);
    story.tell(Input::Memory(WorkerId(2), 1002)).then(&[]);
    story.ready(3).then(&["drain 2 (MemoryLimit)"]);
}

#[test]
fn the_old_worker_stays_while_its_replacement_does_not_start() {
    let mut story = Story::runs(Policy { memory_limit: Some(1000), ..workers(1) });
    story.tell(Input::Memory(WorkerId(1), 1001)).done();
    story.exits(2, 1).then(&["2 crashed: exited with code 1", "slot 0 backs off, death 1"]);
    story.wait(ms(100)).then(&["spawn 3 in slot 0, version 1"]);
    story.ready(3).then(&["drain 1 (MemoryLimit)"]);
}

#[test]
fn planned_replacements_share_the_surge() {
    let mut story = Story::runs(Policy { max_requests: Some(100), ..workers(2) });
    let vitals = Vitals { requests: 200, connections: 0 };
    for id in [1, 2] {
        story.tell(Input::Heartbeat(WorkerId(id), vitals));
    }
    story.then(&["spawn 3 in slot 0, version 1"]);
    story.ready(3).then(&["drain 1 (MaxRequests)", "spawn 4 in slot 1, version 1"]);
}

#[test]
fn lifetimes_end_give_or_take_a_tenth() {
    let mut story = Story::starts(Policy { max_lifetime: Some(seconds(100)), ..workers(1) });
    story.ready(1).done();
    story.wait(seconds(89)).then(&[]);
    story.wait(seconds(22)).then(&["spawn 2 in slot 0, version 1"]);
}

#[test]
fn worker_that_drains_for_too_long_is_cut_then_killed() {
    let mut story = Story::runs(workers(1));
    story.tell(Input::Leaving(WorkerId(1))).ready(2).done();
    story.wait(seconds(30)).then(&["cut 1"]);
    story.wait(seconds(2)).then(&["Kill 1"]);
    story.is_killed(1).then(&["1 left: was killed by SIGKILL"]);
}

#[test]
fn late_input_about_a_worker_that_is_gone_is_ignored() {
    let mut story = Story::runs(workers(1));
    story.exits(1, 1).done();
    story.ready(1).closes(1).beats(1).exits(1, 1).tell(Input::Leaving(WorkerId(1))).then(&[]);
    story.tell(Input::Broken(WorkerId(99), "unknown".to_owned())).then(&[]);
}
