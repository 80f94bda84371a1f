//! Every example of level 3, run for real: started as a user would, asked over HTTP, killed, and
//! watched in `/proc`.
//!
//! The tests wait for facts and never for a time, use port 0, and clean up after themselves even
//! when they fail (`Service` ends its processes when it is dropped).

mod cluster_vs_threads;
mod demos;
mod load_balancing;
mod suite;

use suite::SUITE;

lab::every_example_keeps_the_contract!(SUITE);
