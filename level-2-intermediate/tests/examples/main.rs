//! Every example of level 2, run for real: started as a user would, queried over HTTP, killed, and
//! watched in `/proc`.
//!
//! The tests wait for facts and never for a fixed time, use port 0, and clean up after themselves even
//! if they fail (`Service` stops its processes when it is dropped).

mod await_points;
mod demos;
mod deploy;
mod graceful_shutdown;
mod health_checks;
mod ipc_broadcast;
mod numbers;
mod redis_counter;
mod restart_strategies;
mod suite;
mod variables;
mod zero_downtime_reload;

use suite::{SUITE, start};

lab::every_example_keeps_the_contract!(SUITE);
