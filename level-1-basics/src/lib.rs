//! The code that the six examples of level 1 share, so that each of them can be read as one page.
//!
//! There is no cluster library here: a primary forks, polls and reaps in plain sight, in its
//! example. This crate holds the parts that would distract from that:
//!
//! | module | what it is for |
//! |---|---|
//! | [`process`] | `fork` behind a check, the tie to the primary, the graceful stop |
//! | [`signals`] | signals that arrive through a descriptor, and one `poll` for everything |
//! | [`http`] | HTTP/1.1 for one worker; the only place where hyper and `async` live |
//! | [`readiness`] | how a primary finds out that its service can answer |
//!
//! The code that the examples of all levels share (the options, the narration, the laboratory of
//! `--demo` and of the tests) is in the package `lab`.
//!
//! The guides of the level are modules below, so that every Rust block in them is compiled and
//! run by `cargo test`.

pub mod http;
pub mod process;
pub mod readiness;
pub mod signals;

/// The guides of the level. Their Rust blocks are compiled and run as tests.
pub mod guides {
    #[doc = include_str!("../guides/01-why-cluster.md")]
    pub mod why_cluster {}
    #[doc = include_str!("../guides/02-primary-and-workers.md")]
    pub mod primary_and_workers {}
    #[doc = include_str!("../guides/03-fork-exec-wait.md")]
    pub mod fork_exec_wait {}
    #[doc = include_str!("../guides/04-sharing-a-port.md")]
    pub mod sharing_a_port {}
    #[doc = include_str!("../guides/05-talking-to-workers.md")]
    pub mod talking_to_workers {}
    #[doc = include_str!("../guides/06-life-of-a-worker.md")]
    pub mod life_of_a_worker {}
}
