//! The end of a cluster.

use super::story::{Story, ms, seconds, workers};
use crate::supervisor::{Input, ScaleTo};

#[test]
fn ready_workers_drain_and_then_connections_are_refused() {
    let mut story = Story::runs(workers(2));
    story.tell(Input::Stop).then(&[
        "stopping",
        "drain 1 (Stop)",
        "hurry 1",
        "drain 2 (Stop)",
        "hurry 2",
    ]);
    story.closes(1).then(&["1 accepts no more"]);
    story.closes(2).then(&["2 accepts no more", "refuse connections"]);
    story.exits(1, 0).exits(2, 0).then(&[
        "1 left: exited with code 0",
        "2 left: exited with code 0",
        "finished",
    ]);
    assert_eq!(story.supervisor.next_wake(), None);
}

#[test]
fn hung_worker_delays_refusal_a_moment_and_dies_at_the_deadline() {
    let mut story = Story::runs(workers(1));
    story.tell(Input::Stop).done();
    story.wait(ms(100)).then(&["refuse connections"]);
    story.wait(seconds(30)).then(&["cut 1"]);
    story.wait(seconds(2)).then(&["Kill 1"]);
    story.is_killed(1).then(&["1 left: was killed by SIGKILL", "finished"]);
}

#[test]
fn second_stop_changes_nothing_and_a_stop_now_ends_at_once() {
    let mut story = Story::runs(workers(1));
    story.tell(Input::Stop).done();
    story.tell(Input::Stop).then(&[]);
    story.tell(Input::StopNow).then(&["refuse connections", "Kill 1"]);
    story.tell(Input::StopNow).then(&[]);
}

#[test]
fn stop_without_live_workers_finishes_at_once() {
    let mut story = Story::starts(workers(1));
    story.exits(1, 1).done();
    story.tell(Input::Stop).then(&["stopping", "refuse connections", "finished"]);
    story.wait(seconds(3600)).then(&[]);
}

#[test]
fn requests_are_refused_during_a_stop() {
    let mut story = Story::runs(workers(1));
    story.tell(Input::Stop).done();
    story.scale(ScaleTo::Up).then(&["tell 1: the cluster is stopping"]);
    story.reset(0).then(&["tell 2: the cluster is stopping"]);
    story.reload(2).then(&["forget version 2", "tell 3: the cluster is stopping"]);
}

#[test]
fn worker_that_is_already_draining_is_hurried() {
    let mut story = Story::runs(workers(2));
    story.scale(ScaleTo::Down).wait(seconds(1)).done();
    let mut policy = story.supervisor.policy().clone();
    policy.shutdown_timeout = seconds(5);
    story.supervisor.set_policy(policy);
    story.tell(Input::Stop);
    story.then(&["stopping", "drain 1 (Stop)", "hurry 1", "hurry 2"]);
    story.wait(seconds(5)).then(&["refuse connections", "cut 1", "cut 2"]);
}
