//! All connections of a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::{Method, StatusCode};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::bounds::{Answerable, HttpService};
use super::connection::Connection;
use super::observer::Observer;
use super::phase::{Phase, cut, drain};
use super::progress::Part;
use super::token::Token;
use super::transport::Transport;
use crate::config::HttpLimits;
use crate::listener::Peer;

/// All connections of this worker: limits, numbers, the drain. Clones refer to the same server.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

/// State shared by all connections of a server.
pub(super) struct Shared {
    pub(super) limits: HttpLimits,
    phase: watch::Receiver<Phase>,
    observer: Box<dyn Observer>,
    answered: AtomicU64,
    open: watch::Sender<usize>,
    /// Connections and tokens, which a drain waits for.
    tasks: TaskTracker,
}

impl Server {
    /// A server without connections. It drains when `phase` changes to a drain.
    pub fn new(limits: HttpLimits, phase: watch::Receiver<Phase>, observer: impl Observer) -> Self {
        let shared = Shared {
            limits,
            phase,
            observer: Box::new(observer),
            answered: AtomicU64::new(0),
            open: watch::Sender::new(0),
            tasks: TaskTracker::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The number of open connections, including upgraded and closing ones.
    #[must_use]
    pub fn open(&self) -> usize {
        *self.shared.open.borrow()
    }

    /// The number of requests that have been answered since the start.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Resolves when another connection may be accepted: fewer than `limits.connections` are open.
    pub async fn has_room(&self) {
        let limit = self.shared.limits.connections;
        // This fails only if the sender is gone, and `self` owns it.
        let _ = self.shared.open.subscribe().wait_for(|open| *open < limit).await;
    }

    /// Serves one accepted connection, HTTP/1 or HTTP/2, in its own task.
    ///
    /// If the service fails or panics, the client gets 500, and an HTTP/1 connection is closed.
    ///
    /// # Panics
    ///
    /// If it is called outside of a Tokio runtime.
    pub fn serve<IO, S, B>(&self, io: IO, peer: Peer, service: S)
    where
        IO: Transport,
        S: HttpService<B>,
        B: Answerable,
    {
        let opened = Opened::new(Arc::clone(&self.shared));
        let connection = Connection::new(io, peer, service, Arc::clone(&self.shared));
        self.shared.tasks.spawn(async move {
            let _opened = opened;
            connection.run().await;
        });
    }

    /// Resolves when a drain has begun and all connections and tokens are gone, or its deadline has
    /// passed.
    pub async fn drained(&self) {
        let mut phase = self.shared.phase.clone();
        drain(&mut phase).await;
        self.shared.tasks.close();
        tokio::select! {
            () = self.shared.tasks.wait() => {}
            () = cut(&mut phase) => {}
        }
    }
}

impl Shared {
    pub(super) fn is_draining(&self) -> bool {
        *self.phase.borrow() != Phase::Serving
    }

    pub(super) fn watch_phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    pub(super) fn token(&self, open: Option<Part>) -> Token {
        Token::new(self.phase.clone(), self.tasks.token(), open)
    }

    pub(super) fn answered(&self, method: &Method, status: StatusCode, elapsed: Duration) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.observer.request(method, status, elapsed);
    }
}

/// Counts a connection for as long as it lives, however its task ends.
struct Opened {
    shared: Arc<Shared>,
}

impl Opened {
    fn new(shared: Arc<Shared>) -> Self {
        shared.open.send_modify(|open| *open += 1);
        shared.observer.opened();
        Self { shared }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.shared.open.send_modify(|open| *open -= 1);
        self.shared.observer.closed();
    }
}
