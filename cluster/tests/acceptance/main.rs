//! The acceptance scenarios of `cluster`, observed from outside: real processes, real sockets, clients
//! that never retry. The number of a scenario is in its name.
//!
//! This binary has two roles, like every program built on `cluster`: it runs the tests, and,
//! started again by them, it is the [server](fixture) under test.

#![allow(missing_docs)]

mod broken;
mod clients;
mod container;
mod fixture;
mod hostile;
mod lab;
mod life;
mod limits;
mod messages;
mod operating;
mod outage;
mod reload;
mod shared;
mod signals;
mod sockets;
mod start;
mod stops;
mod surroundings;
mod systemd;

use libtest_mimic::{Arguments, Trial};

/// A scenario and the numbers of workers that it is run with.
type Scenario = (&'static str, &'static [usize], fn(usize));

fn main() {
    if std::env::var_os(lab::FIXTURE).is_some() {
        return fixture::main();
    }
    let scenarios = [
        reload::SCENARIOS,
        broken::SCENARIOS,
        life::SCENARIOS,
        limits::SCENARIOS,
        sockets::SCENARIOS,
        messages::SCENARIOS,
        operating::SCENARIOS,
        hostile::SCENARIOS,
        shared::SCENARIOS,
        stops::SCENARIOS,
        signals::SCENARIOS,
        start::SCENARIOS,
        container::SCENARIOS,
        systemd::SCENARIOS,
        outage::SCENARIOS,
        clients::SCENARIOS,
        surroundings::SCENARIOS,
    ];
    let trials = scenarios.concat().into_iter().flat_map(|(name, counts, run)| {
        counts.iter().map(move |&workers| {
            let name = format!("{name}::workers_{workers}");
            Trial::ignorable_test(name, move || Ok(lab::attempt(move || run(workers))))
        })
    });
    let mut arguments = Arguments::from_args();
    // Each scenario has its own processes and mostly waits; running more at once would only measure
    // the machine.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
