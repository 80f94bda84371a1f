//! One binary, two roles.

use std::future::Future;
use std::num::NonZeroUsize;

use nix::unistd::{getpid, gettid};

use crate::config::Config;
use crate::dispatch::{RoundRobin, Strategy};
use crate::primary::{self, Events, Extras, Handle};
use crate::worker::{self, Worker};
use crate::{Error, Result};

/// A failure of the program's own `serve`.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs a cluster with these settings. In the primary, it supervises the workers and returns when the
/// cluster has stopped; in a worker, which is the same program started again, it runs `serve`.
///
/// A worker whose `serve` returns `Ok` has left voluntarily; after `Err` it exits with code 1.
///
/// # Errors
/// Anything that keeps the primary from starting: a port that is in use, a file that cannot be
/// written. In a worker: the error that `serve` returned.
///
/// # Platform
/// Linux 5.11 or later. Call it on the main thread, outside of any runtime.
pub fn run<S, F, E>(config: Config, serve: S) -> Result<()>
where
    S: FnOnce(Worker) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    Cluster::new(config).run(serve)
}

/// A cluster that needs more than settings: code that watches its events, or a strategy.
pub struct Cluster {
    config: Config,
    extras: Extras,
}

impl Cluster {
    /// A cluster with these settings.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let strategy = Box::new(RoundRobin::default());
        Self { config, extras: Extras { strategy, watch: None, shared: None } }
    }

    /// Sets the strategy that chooses a worker for each connection, if the primary hands them over
    /// ([`Sharing::HandOff`](crate::config::Sharing::HandOff)). The strategy is called on the
    /// primary's only thread, so it must not wait for anything.
    #[must_use]
    pub fn strategy(mut self, strategy: impl Strategy + 'static) -> Self {
        self.extras.strategy = Box::new(strategy);
        self
    }

    /// Runs `watch` in the primary, on a thread of its own, with the cluster's events and a handle to
    /// the cluster. It may take its time: it never delays the supervision. If it panics, the cluster
    /// stops, and [`run`](Self::run) returns the reason; if it returns, the cluster continues without
    /// it.
    #[must_use]
    pub fn watch(mut self, watch: impl FnOnce(Events, Handle) + Send + 'static) -> Self {
        self.extras.watch = Some(Box::new(watch));
        self
    }

    /// Shares `words` 64-bit words between all processes of the cluster: see
    /// [`shared`](crate::shared), [`Worker::shared`] and [`Handle::shared`].
    ///
    /// [`run`](Self::run) fails if `words` is more than [`MAX_WORDS`](crate::shared::MAX_WORDS), or
    /// if there is not enough memory for them.
    #[must_use]
    pub fn shared(mut self, words: NonZeroUsize) -> Self {
        self.extras.shared = Some(words);
        self
    }

    /// Runs the cluster; see [`run`].
    ///
    /// # Errors
    /// Any error of [`run`]; or code in the primary has panicked: the code that
    /// [watches](Self::watch), the [strategy](Self::strategy), or, because of a defect, this library.
    /// By then, the workers have finished.
    pub fn run<S, F, E>(self, serve: S) -> Result<()>
    where
        S: FnOnce(Worker) -> F,
        F: Future<Output = Result<(), E>>,
        E: Into<Failure>,
    {
        check_thread()?;
        if worker::is_worker() {
            return worker::run(async |worker| serve(worker).await.map_err(Into::into));
        }
        primary::run(self.config, self.extras)
    }
}

fn check_thread() -> Result<()> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(Error::new(
            "cluster::run creates its own runtime; call it from a plain main, without #[tokio::main]",
        ));
    }
    // The kernel ties a child to the thread that forked it, and only the main thread lasts.
    if gettid() != getpid() {
        return Err(Error::new("cluster::run must be called on the main thread"));
    }
    Ok(())
}
