//! One program, many processes.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "cluster uses pidfds, /proc and SCM_RIGHTS, which only Linux has. \
     On Windows use WSL2; elsewhere open the workbook in its dev container (.devcontainer)."
);

pub mod admin;
pub mod channel;
pub mod config;
pub mod dispatch;
mod error;
pub mod http;
pub mod listener;
mod log;
pub mod metrics;
pub mod primary;
mod run;
pub mod spawn;
pub mod supervisor;
pub mod worker;

pub use config::Config;
pub use error::{Error, Result};
pub use run::{Cluster, run};
pub use worker::{Worker, is_worker};
