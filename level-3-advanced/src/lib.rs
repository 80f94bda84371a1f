//! The parts that the examples of level 3 share, so that each of them can be read as one page.
//!
//! | module | purpose |
//! |---|---|
//! | [`fairness`] | Jain's index: one number for the evenness of a split |
//! | [`supermarket`] | a simulation of "the shortest of d queues", without processes |
//!
//! The examples run on [`cluster`]; their settings and the sentences that they print are those of
//! level 2, and the laboratory of their demos is `lab`, as in the other levels.

pub mod fairness;
pub mod supermarket;

/// The guides of the level. Their Rust blocks are compiled and run as tests.
pub mod guides {
    #[doc = include_str!("../guides/01-balancing-strategies.md")]
    pub mod balancing_strategies {}
    #[doc = include_str!("../guides/03-cluster-and-threads.md")]
    pub mod cluster_and_threads {}
    #[doc = include_str!("../guides/04-measuring-and-scaling.md")]
    pub mod measuring_and_scaling {}
}
