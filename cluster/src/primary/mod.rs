//! The driver of the cluster: it turns outside events into inputs of the
//! [`supervisor`](crate::supervisor), and the supervisor's actions into system calls.
//!
//! Three threads: the main one runs the loop and starts processes; one delivers events to the
//! program; one serves the [admin API](crate::admin). The last two send [`Command`]s to the first.
//!
#![doc = include_str!("signals.md")]

mod actions;
mod chronicle;
mod command;
mod courier;
mod driver;
mod events;
mod handle;
mod inbox;
mod init;
mod last_resort;
mod memory;
mod outbox;
mod peer;
mod pid_file;
mod ports;
mod report;
mod signals;
mod start;
mod stats;
mod tally;
mod trial;

pub use command::{Command, Reply};
pub use events::{Answerer, Body, Event, Events};
pub use handle::Handle;
pub use stats::{ClusterStats, PrimaryStats, Stats, WorkerStats};

pub(crate) use start::{Extras, run};
