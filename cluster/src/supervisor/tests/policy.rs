//! Settings that change, and state that is stored.

use super::story::{Story, seconds, workers};
use crate::supervisor::{Input, Policy, ScaleTo, Supervisor, WorkerId};

#[test]
fn the_number_stays_as_it_was_scaled_unless_the_setting_changed() {
    let mut story = Story::runs(workers(2));
    story.scale(ScaleTo::Up).ready(3).done();
    story.supervisor.set_policy(Policy { surge: 2, ..workers(2) });
    story.tell(Input::Tick).then(&[]);
    story.supervisor.set_policy(Policy { surge: 2, ..workers(4) });
    story.tell(Input::Tick).then(&["from 3 to 4", "spawn 4 in slot 3, version 1"]);
    story.supervisor.set_policy(Policy { max_workers: 3, ..workers(4) });
    story.ready(4).then(&["from 4 to 3", "drain 4 (ScaleDown)"]);
}

#[test]
fn workers_are_judged_by_the_period_that_they_were_given() {
    let mut story = Story::starts(Policy { heartbeat: Some(seconds(60)), ..workers(1) });
    story.ready(1).done();
    story.supervisor.set_policy(Policy { heartbeat: Some(seconds(1)), ..workers(1) });
    story.wait(seconds(100)).then(&[]);
}

#[test]
fn stored_state_continues_in_the_same_way() {
    let mut story = Story::runs(workers(3));
    story.reload(2).ready(4).done();
    let json = serde_json::to_string(&story.supervisor).expect("plain data");
    let mut restored: Supervisor = serde_json::from_str(&json).expect("a stored state can be read");
    assert_eq!(restored, story.supervisor);
    let input = Input::StoppedAccepting(WorkerId(1));
    let now = story.now;
    assert_eq!(restored.step(now, input.clone()), story.supervisor.step(now, input));
}
