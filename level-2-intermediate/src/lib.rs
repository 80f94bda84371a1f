//! What the six examples of level 2 share, so that each of them can be read as one page.
//!
//! They stand on [`cluster`], the library. What would distract from their lessons is here:
//!
//! | module | what it is for |
//! |---|---|
//! | [`settings`] | from the options of an example to the settings of its cluster |
//! | [`story`] | the events of a cluster, told in sentences; the `ready` line |
//! | [`http`] | what a request asks for; the slow one |
//! | [`stamp`], [`site`] | versions of a program, and how they are deployed while it runs |
//!
//! The options themselves and the laboratory of the demos are in the package `lab`, as in level 1.
//!
//! The guides of the level are modules below, so that every Rust block in them is compiled and
//! run by `cargo test`.

pub mod http;
pub mod settings;
pub mod site;
pub mod stamp;
pub mod story;

/// The guides of the level. Their Rust blocks are compiled and run as tests.
pub mod guides {
    #[doc = include_str!("../guides/01-lifecycle-and-supervision.md")]
    pub mod lifecycle_and_supervision {}
    #[doc = include_str!("../guides/02-graceful-shutdown.md")]
    pub mod graceful_shutdown {}
    #[doc = include_str!("../guides/03-restart-strategies.md")]
    pub mod restart_strategies {}
    #[doc = include_str!("../guides/04-zero-downtime-reload.md")]
    pub mod zero_downtime_reload {}
    #[doc = include_str!("../guides/05-health-monitoring-debugging.md")]
    pub mod health_monitoring_debugging {}
    #[doc = include_str!("../guides/06-state-in-a-cluster.md")]
    pub mod state_in_a_cluster {}
}
