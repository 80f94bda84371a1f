//! What the six examples of level 2 share, so that each of them can be read as one page.
//!
//! They stand on [`cluster`], the library. What would distract from their lessons is here:
//!
//! | module | what it is for |
//! |---|---|
//! | [`settings`] | from the options of an example to the settings of its cluster |
//! | [`story`] | the events of a cluster, told in sentences; the `ready` line |
//! | [`http`] | what a request asks for |
//!
//! The options themselves and the laboratory of the demos are in the package `lab`, as in level 1.
//!
//! The guides of the level are modules below, so that every Rust block in them is compiled and
//! run by `cargo test`.

pub mod http;
pub mod settings;
pub mod story;

/// The guides of the level. Their Rust blocks are compiled and run as tests.
pub mod guides {
    #[doc = include_str!("../guides/06-state-in-a-cluster.md")]
    pub mod state_in_a_cluster {}
}
