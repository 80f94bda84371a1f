//! Restarts, back-off and the breaker.

use std::time::Duration;

use super::story::{Story, ms, seconds, workers};
use crate::supervisor::{Exit, Input, Policy, SlotState, Supervisor, Time, WorkerId};

#[test]
fn a_death_after_a_stable_life_is_followed_by_a_restart_at_once() {
    Story::runs(workers(2))
        .exits(1, 0)
        .then(&["1 crashed: exited with code 0", "spawn 3 in slot 0, version 1"]);
}

#[test]
fn early_death_backs_off_and_a_stable_life_clears_the_count() {
    let mut story = Story::runs(workers(1));
    story.exits(1, 1).done();
    story.exits(2, 1).then(&["2 crashed: exited with code 1", "slot 0 backs off, death 1"]);
    story.wait(ms(100)).then(&["spawn 3 in slot 0, version 1"]);
    story.exits(3, 1).then(&["3 crashed: exited with code 1", "slot 0 backs off, death 2"]);
    story.wait(ms(200)).ready(4).wait(seconds(1)).exits(4, 1).done();
    story.exits(5, 1).then(&["5 crashed: exited with code 1", "slot 0 backs off, death 1"]);
}

/// Acceptance 24.
#[test]
fn a_crash_loop_is_errored_after_its_limit_with_growing_delays() {
    let policy = Policy { max_early_deaths: 4, ..workers(1) };
    let mut story = Story::starts(policy);
    story.done();
    for (death, bound) in [(1, 100), (2, 200), (3, 400)] {
        story.exits(death, 1);
        let died = story.now;
        let slot = story.supervisor.slots().next().expect("one slot");
        let SlotState::BackingOff(until) = slot.state else { panic!("{slot:?}") };
        assert!(until.since(died) <= ms(bound), "{death}: {:?}", until.since(died));
        story.wait(ms(bound)).done();
    }
    story.exits(4, 1).then(&[
        "4 crashed: exited with code 1",
        "slot 0 errored, death 4",
        "suspend connections",
        "no worker for long",
    ]);
    for death in 5..9 {
        story.wait(seconds(29)).then(&[]);
        story.wait(seconds(1)).then(&[&format!("spawn {death} in slot 0, version 1")]);
        story.exits(death, 1);
        story.then(&[
            &format!("{death} crashed: exited with code 1"),
            &format!("slot 0 backs off, death {death}"),
        ]);
    }
}

#[test]
fn errored_slot_recovers_after_the_minimum_up_time() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(1) });
    let errored = |story: &Story| story.supervisor.slots().next().expect("one slot").errored;
    story.exits(1, 1).wait(seconds(30)).ready(2);
    assert!(errored(&story), "it has only just come back");
    story.wait(seconds(1));
    assert!(!errored(&story));
}

#[test]
fn full_process_table_is_not_a_failure_of_the_program() {
    let mut story = Story::runs(Policy { max_early_deaths: 2, ..workers(2) });
    story.exits(1, 1).done();
    for worker in (3..20).map(WorkerId) {
        let reason = "no room".to_owned();
        story.tell(Input::SpawnFailed { worker, reason, shortage: true });
        let crashed = format!("{worker} crashed: could not be started");
        story.then(&[&crashed, "slot 0 finds no room"]);
        story.wait(seconds(30)).then(&[&format!("spawn {} in slot 0, version 1", worker.0 + 1)]);
    }
}

#[test]
fn worker_without_room_to_begin_does_not_count_either() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(1) });
    let (worker, reason) = (WorkerId(1), "no room for a thread".to_owned());
    story.tell(Input::CannotBegin { worker, reason, shortage: true }).done();
    story.exits(1, 71).then(&["1 crashed: exited with code 71", "slot 0 finds no room"]);
}

#[test]
fn worker_with_a_term_from_outside_is_replaced_first() {
    let mut story = Story::runs(workers(2));
    story.tell(Input::Terminated(WorkerId(1))).then(&["spawn 3 in slot 0, version 1"]);
    story.tell(Input::Terminated(WorkerId(1))).then(&[]);
    story.ready(3).then(&["drain 1 (Terminated)"]);
}

#[test]
fn worker_with_a_term_during_a_stop_drains_like_the_others() {
    let mut story = Story::runs(workers(1));
    story.tell(Input::Terminated(WorkerId(1))).done();
    story.tell(Input::Stop);
    story.then(&["stopping", "drain 1 (Stop)", "hurry 1", "cut 2"]);
}

#[test]
fn only_an_errored_slot_can_be_reset() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(2) });
    story.ready(2).exits(1, 1).done();
    story.reset(1).then(&["tell 1: slot 1 is not errored"]);
    story.reset(7).then(&["tell 2: there is no slot 7"]);
    story.reset(0).then(&["tell 3: 2", "spawn 3 in slot 0, version 1"]);
}

#[test]
fn the_delay_is_drawn_from_the_whole_range() {
    let delay = |seed| {
        let mut supervisor = Supervisor::new(workers(1), seed);
        supervisor.start(Time::default());
        supervisor.step(Time::default(), exit());
        supervisor.next_wake().expect("it backs off").0
    };
    let delays: Vec<Duration> = (0..100).map(delay).collect();
    assert!(delays.iter().any(|&delay| delay < ms(20)));
    assert!(delays.iter().any(|&delay| delay > ms(80)));
}

#[test]
fn worker_that_could_not_be_started_died_early() {
    let worker = WorkerId(1);
    let reason = "no such file".to_owned();
    Story::starts(workers(1)).tell(Input::SpawnFailed { worker, reason, shortage: false }).then(&[
        "spawn 1 in slot 0, version 1",
        "1 crashed: could not be started",
        "slot 0 backs off, death 1",
    ]);
}

#[test]
fn worker_that_leaves_unasked_is_replaced_and_has_not_crashed() {
    let mut story = Story::runs(workers(1));
    story
        .tell(Input::Leaving(WorkerId(1)))
        .then(&["drain 1 (OwnWish)", "spawn 2 in slot 0, version 1"]);
    story.exits(1, 7).then(&["1 left: exited with code 7"]);
    story.ready(2).tell(Input::Leaving(WorkerId(2)));
    story.then(&["drain 2 (OwnWish)", "slot 0 backs off, death 1"]);
}

fn exit() -> Input {
    Input::Exited(WorkerId(1), Exit::Code(1))
}
