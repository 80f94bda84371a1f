//! The parts that the six examples of level 2 share, so that each of them can be read as one page.
//!
//! They use [`cluster`], the library. The parts that would distract from their lessons are here:
//!
//! | module | what it is for |
//! |---|---|
//! | [`settings`] | the settings of an example's cluster, from its options |
//! | [`story`] | the events of a cluster, as sentences; the `ready` line |
//! | [`http`] | the query of a request; the slow request |
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
    #[doc = include_str!("../guides/00-async-after-poll.md")]
    pub mod async_after_poll {}
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
    #[doc = include_str!("../guides/07-messages-between-workers.md")]
    pub mod messages_between_workers {}
}
