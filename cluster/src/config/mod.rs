//! Settings: from code, from a TOML file, from the environment; checked once, all mistakes together.

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
    pub(crate) pid_file: Option<PathBuf>,
    /// Where the admin API listens.
    pub(crate) admin: Admin,
    /// What changes over TCP must bring.
    pub(crate) admin_token: Option<String>,
    /// How the primary logs.
    pub(crate) log: LogFormat,
    /// How often a line with the cluster's totals is logged.
    pub(crate) log_stats: Option<Duration>,
    /// The file that a reload reads again.
    pub(crate) file: Option<PathBuf>,
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
    Unix(PathBuf),
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
    /// Connections open in one worker at the same time; beyond it the worker accepts no more.
    pub connections: usize,
}

/// Where the admin API listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admin {
    /// Nowhere.
    Off,
    /// A Unix socket with mode 0600; `None`: a default path that contains the primary's pid.
    Unix(Option<PathBuf>),
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
            connections: 10_000,
        }
    }
}
