//! Settings: from code, from a TOML file, from the environment; all mistakes are told together.
//!
//! Three layers, and a later one overrides an earlier one: the program's own values
//! ([`Builder`]), a TOML file, the environment. All three speak the same language: a setting has
//! one row in one table (`table.rs`), and from that row come its name, its place, its limits, its
//! documentation and its method on the builder.
//!
//! ```
//! # fn main() -> cluster::Result<()> {
//! use std::time::Duration;
//!
//! let config = cluster::Config::builder()
//!     .listen("127.0.0.1:8000")
//!     .drain_window(Duration::from_secs(2))
//!     .env_from([("CLUSTER_WORKERS", "4")])
//!     .build()?;
//! # let _ = config; Ok(()) }
//! ```
//!
#![doc = include_str!("settings.md")]

mod address;
mod builder;
mod check;
mod draft;
mod environment;
mod file;
mod form;
mod mistake;
mod path;
mod reread;
mod special;
mod table;
mod token;
mod units;

pub(crate) use address::LONGEST_PATH;
pub use builder::Builder;
pub use mistake::{Mistake, Mistakes, Origin};
pub use table::{Setting, settings};
pub use token::Token;

use builder::Sources;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::supervisor::Policy;

/// Settings that have been checked. The primary reads them, and hands them to its workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Where to listen; the first is the default listener.
    pub(crate) listen: Vec<Listen>,
    /// How the workers share the port.
    pub(crate) sharing: Sharing,
    /// What the supervisor decides by.
    pub(crate) policy: Policy,
    /// How often the primary looks at its workers' memory.
    pub(crate) health_check_interval: Duration,
    /// Threads of a worker's runtime; with 1 it is Tokio's current-thread runtime.
    pub(crate) worker_threads: usize,
    /// Limits of HTTP connections.
    pub(crate) http: HttpLimits,
    /// Where the primary's pid is written.
    #[serde(with = "path::optional")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Where the admin API listens.
    pub(crate) admin: Admin,
    /// What changes over TCP must bring. Workers have no use for it, so it is not sent to them.
    #[serde(skip)]
    pub(crate) admin_token: Option<Token>,
    /// How the primary logs.
    pub(crate) log: LogFormat,
    /// How often a line with the cluster's totals is logged.
    pub(crate) log_stats: Option<Duration>,
    /// The file that a reload reads again.
    #[serde(with = "path::optional")]
    pub(crate) file: Option<PathBuf>,
    /// Where all this came from, for a reload. Workers do not reload.
    #[serde(skip)]
    sources: Sources,
}

impl Config {
    /// Begins with the defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The defaults, the file that `CLUSTER_CONFIG` names, if it does, and the environment.
    ///
    /// # Errors
    /// All mistakes in one error; [`Mistakes::of`] gives them one by one.
    pub fn from_env() -> crate::Result<Self> {
        Self::builder().env().build()
    }

    /// How many workers there are at the start.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.policy.workers
    }

    /// How often workers say that they are alive; nothing when they do not.
    #[must_use]
    pub fn health_report_interval(&self) -> Option<Duration> {
        self.policy.heartbeat
    }

    /// Where the admin API listens.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Lines about variables of the environment that were ignored, because they do not seem to be meant
    /// for this program. The primary logs them when it starts; a worker has none.
    ///
    /// ```
    /// # fn main() -> cluster::Result<()> {
    /// let kubernetes = [("CLUSTER_API_PORT", "tcp://10.96.0.10:443")];
    /// let config = cluster::Config::builder().env_from(kubernetes).build()?;
    /// assert!(config.notes()[0].starts_with("CLUSTER_API_PORT=tcp://10.96.0.10:443 is ignored"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.sources.notes
    }

    /// The names of the listeners, in their order; the first is the default one.
    pub fn listeners(&self) -> impl Iterator<Item = &str> {
        self.listen.iter().map(|listen| listen.name.as_str())
    }

    /// What stands before any layer is laid on it. A zero here means "not decided yet"; the forms
    /// call it `auto`, and [`draft`] decides it at the end.
    pub(crate) fn before_all_layers() -> Self {
        Self {
            listen: address::default_listen(),
            sharing: Sharing::default(),
            policy: Policy { workers: 0, max_workers: 0, ..Policy::default() },
            health_check_interval: Duration::from_secs(30),
            worker_threads: 1,
            http: HttpLimits::default(),
            pid_file: None,
            admin: Admin::Unix(None),
            admin_token: None,
            log: LogFormat::default(),
            log_stats: None,
            file: None,
            sources: Sources::default(),
        }
    }
}

/// A place to listen, with the name by which a worker asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// `default` for the first.
    pub name: String,
    /// TCP or Unix.
    pub address: Address,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Address {
    /// `127.0.0.1:8000`; port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// `unix:/run/app.sock`.
    Unix(#[serde(with = "path")] PathBuf),
    /// `systemd:NAME`: a socket that systemd owns and passes.
    Systemd(String),
}

/// How the workers share a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sharing {
    /// One socket, inherited by all; whoever is free accepts.
    #[default]
    Inherited,
    /// A socket for each slot; the kernel spreads connections by a hash. TCP only.
    ReusePort,
    /// The primary accepts and hands connections to workers by a strategy.
    HandOff,
}

/// Limits of one HTTP connection, and of their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpLimits {
    /// Bytes of a request's head.
    pub header_size: usize,
    /// From the first byte of a head to its last.
    pub header_time: Duration,
    /// How long a connection may be idle between requests.
    pub idle_time: Duration,
    /// From the end of the head to the end of the body.
    pub body_time: Duration,
    /// From the end of a request's head to the head of its answer.
    pub request_time: Duration,
    /// Connections open in one worker at the same time; beyond it the worker accepts no more.
    pub connections: usize,
}

/// Where the admin API listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admin {
    /// Nowhere.
    Off,
    /// A Unix socket with mode 0600; `None`: a default path that contains the primary's pid.
    Unix(#[serde(with = "path::optional")] Option<PathBuf>),
    /// TCP. Changes need a token.
    Tcp(SocketAddr),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// The program installs its own subscriber, or wants silence.
    Off,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            header_size: 64 * 1024,
            header_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            body_time: Duration::from_secs(60),
            request_time: Duration::from_secs(600),
            connections: 10_000,
        }
    }
}
