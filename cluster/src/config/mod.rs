//! Settings from code, a TOML file and the environment; all mistakes are reported together.
//!
//! There are three layers, and a later one overrides an earlier one: the program's own values
//! ([`Builder`]), a TOML file, and the environment. All three use the same syntax: a setting has
//! one row in one table (`table.rs`), and that row gives its name, its place, its limits, its
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
    /// The listeners; the first is the default one.
    pub(crate) listen: Vec<Listen>,
    /// The way that the workers share the port.
    pub(crate) sharing: Sharing,
    /// The settings that the supervisor uses for its decisions.
    pub(crate) policy: Policy,
    /// The interval at which the primary checks its workers' memory.
    pub(crate) health_check_interval: Duration,
    /// The number of threads of a worker's runtime; with 1 it is Tokio's current-thread runtime.
    pub(crate) worker_threads: usize,
    /// Limits on HTTP connections.
    pub(crate) http: HttpLimits,
    /// The file that the primary's pid is written to.
    #[serde(with = "path::optional")]
    pub(crate) pid_file: Option<PathBuf>,
    /// The address of the admin API.
    pub(crate) admin: Admin,
    /// The token that changes over TCP must carry. Workers do not need it, so it is not sent to them.
    #[serde(skip)]
    pub(crate) admin_token: Option<Token>,
    /// The format of the primary's log.
    pub(crate) log: LogFormat,
    /// The interval at which a line with the cluster's totals is logged.
    pub(crate) log_stats: Option<Duration>,
    /// The file that a reload rereads.
    #[serde(with = "path::optional")]
    pub(crate) file: Option<PathBuf>,
    /// The sources of all these values, for a reload. Workers do not reload.
    #[serde(skip)]
    sources: Sources,
}

impl Config {
    /// Starts a configuration from the defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Reads the defaults, the file that `CLUSTER_CONFIG` names (if it is set), and the
    /// environment.
    ///
    /// # Errors
    /// All mistakes are reported in one error; [`Mistakes::of`] returns them one by one.
    pub fn from_env() -> crate::Result<Self> {
        Self::builder().env().build()
    }

    /// The number of workers at the start.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.policy.workers
    }

    /// The interval at which workers report that they are alive; `None` if they do not.
    #[must_use]
    pub fn health_report_interval(&self) -> Option<Duration> {
        self.policy.heartbeat
    }

    /// The address of the admin API.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Lines about environment variables that were ignored, because they do not seem to be meant for
    /// this program. The primary logs them when it starts; a worker has none.
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

    /// The names of the listeners, in order; the first is the default one.
    pub fn listeners(&self) -> impl Iterator<Item = &str> {
        self.listen.iter().map(|listen| listen.name.as_str())
    }

    /// The configuration below all layers. A zero here means "not decided yet"; the forms call it
    /// `auto`, and [`draft`] decides it at the end.
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

/// A listener: its address, and the name by which a worker requests it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The name; `default` for the first listener.
    pub name: String,
    /// The address, TCP or Unix.
    pub address: Address,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Address {
    /// A TCP address: `127.0.0.1:8000`; port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// A Unix socket: `unix:/run/app.sock`.
    Unix(#[serde(with = "path")] PathBuf),
    /// `systemd:NAME`: a socket that systemd owns and passes.
    Systemd(String),
}

/// The way that the workers share a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sharing {
    /// One socket, inherited by all; any free worker accepts.
    #[default]
    Inherited,
    /// A socket for each slot; the kernel spreads connections by a hash. TCP only.
    ReusePort,
    /// The primary accepts and hands connections to workers by a strategy.
    HandOff,
}

/// Limits on one HTTP connection, and on the number of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpLimits {
    /// The maximum size of a request's head, in bytes.
    pub header_size: usize,
    /// The time allowed from the first byte of a head to its last.
    pub header_time: Duration,
    /// The time for which a connection may be idle between requests.
    pub idle_time: Duration,
    /// The time allowed from the end of the head to the end of the body.
    pub body_time: Duration,
    /// The time allowed from the end of a request's head to the head of its answer.
    pub request_time: Duration,
    /// The number of connections that may be open in one worker at the same time; at this limit the
    /// worker accepts no more.
    pub connections: usize,
}

/// The address of the admin API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admin {
    /// There is no admin API.
    Off,
    /// A Unix socket with mode 0600; `None` stands for a default path that contains the primary's
    /// pid.
    Unix(#[serde(with = "path::optional")] Option<PathBuf>),
    /// TCP. Changes need a token.
    Tcp(SocketAddr),
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
    /// The program installs its own subscriber, or wants no log.
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
