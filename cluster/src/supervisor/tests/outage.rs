//! Clients and a cluster without a worker.

use super::story::{Story, seconds, workers};
use crate::supervisor::{Input, Policy};

const SUSPENDED: [&str; 2] = ["suspend connections", "no worker for long"];

#[test]
fn clients_wait_for_a_short_restart() {
    let mut story = Story::runs(workers(1));
    story.exits(1, 1).ready(2).wait(seconds(60));
    assert!(!story.done().contains(&SUSPENDED[0].to_owned()));
}

#[test]
fn clients_wait_five_seconds_for_a_worker_to_get_ready() {
    let mut story = Story::runs(workers(1));
    story.exits(1, 1).done();
    story.wait(seconds(4)).then(&[]);
    story.wait(seconds(1)).then(&SUSPENDED);
    story.wait(seconds(20)).then(&[]);
    story.ready(2).exits(2, 1).done();
    story.wait(seconds(5)).then(&SUSPENDED);
}

#[test]
fn long_delay_before_the_restart_suspends_connections_at_once() {
    let policy = Policy { max_early_deaths: 1, ..workers(1) };
    let mut story = Story::starts(policy);
    story.ready(1).done();
    story.exits(1, 1).then(&[
        "1 crashed: exited with code 1",
        "slot 0 errored, death 1",
        SUSPENDED[0],
        SUSPENDED[1],
    ]);
}

#[test]
fn one_ready_worker_of_several_is_enough() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(2) });
    story.ready(2).exits(1, 1).done();
    story.wait(seconds(20)).then(&[]);
}

#[test]
fn stop_refuses_suspended_connections_for_good() {
    let mut story = Story::starts(Policy { max_early_deaths: 1, ..workers(1) });
    story.exits(1, 1).done();
    story.tell(Input::Stop).then(&["stopping", "refuse connections", "finished"]);
}
