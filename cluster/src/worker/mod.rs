//! A worker: the cluster as the program's own code sees it.

mod boot;
mod director;
mod door;
mod feed;
mod life;
mod link;
mod observe;
mod serve;

pub use boot::is_worker;
pub use link::{Message, ReplyTo};
pub use serve::{Arrival, Arrivals};

pub(crate) use boot::handed_down;
pub(crate) use life::run;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};

use crate::channel::message::{Hello, ToPrimary};
use crate::config::Config;
use crate::http::{Phase, Server};
use crate::metrics::Metrics;
use crate::shared::{self, Shared};
use crate::supervisor::{Generation, SlotId, WorkerId};
use crate::{Error, Result};
use door::Doors;
use link::Link;

/// This worker. Cheap to clone; give a clone to every task that needs it.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    hello: Hello,
    link: Link,
    phase: watch::Receiver<Phase>,
    http: Server,
    metrics: Metrics,
    doors: Doors,
    messages: Mutex<Option<mpsc::Receiver<Message>>>,
    shared: Option<Shared>,
}

impl Worker {
    /// Its id. Ids count up from 1 and are never reused.
    #[must_use]
    pub fn id(&self) -> WorkerId {
        self.0.hello.worker
    }

    /// Its place, from 0. A replacement gets the same one.
    #[must_use]
    pub fn slot(&self) -> SlotId {
        self.0.hello.slot
    }

    /// The version of the program that it runs, from 1.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.0.hello.generation
    }

    /// The number of workers that its slot has had before it.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.0.hello.restarts
    }

    /// The settings, as the primary has read them.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.hello.config
    }

    /// The addresses at which the cluster listens, with the real ports.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.0.hello.addresses
    }

    /// Counters of this worker; the primary adds them up.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The numbers shared by all workers and the primary; see [`shared`].
    ///
    /// # Errors
    /// [`Cluster::shared`](crate::Cluster::shared) was not called by the program with which the
    /// primary was started.
    pub fn shared(&self) -> Result<Shared> {
        self.0.shared.clone().ok_or_else(shared::none)
    }

    /// Waits until this worker is leaving, whatever the reason. From then on it should start
    /// nothing new; [`serve_http`](Self::serve_http) does all this on its own.
    pub async fn draining(&self) {
        let mut phase = self.0.phase.clone();
        let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
    }

    /// Sends a message to the primary's program ([`Event::Message`](crate::primary::Event::Message)).
    ///
    /// # Errors
    /// It cannot be encoded, or is larger than a [frame](crate::channel::frame::MAX_FRAME).
    pub async fn tell(&self, message: &impl Serialize) -> Result<()> {
        self.0.link.send(&ToPrimary::Tell(link::raw(message)?)).await
    }

    /// Sends a message to all other workers that are ready. A worker that does not read its messages
    /// misses it, and the primary's log says so.
    ///
    /// # Errors
    /// It cannot be encoded, or is larger than a frame.
    pub async fn broadcast(&self, message: &impl Serialize) -> Result<()> {
        self.0.link.send(&ToPrimary::Relay(link::raw(message)?)).await
    }

    /// Asks the primary's program ([`Event::Asked`](crate::primary::Event::Asked)), and waits at most
    /// `limit` for its answer.
    ///
    /// # Errors
    /// There was no answer in time, the answer has a different type, or the primary refused.
    pub async fn request<A: DeserializeOwned>(
        &self,
        question: &impl Serialize,
        limit: Duration,
    ) -> Result<A> {
        self.0.link.ask(question, limit).await
    }

    /// The messages from the primary and from other workers. Up to 1,024 unread messages are kept;
    /// further ones are dropped, with a warning in the log.
    ///
    /// # Errors
    /// The messages have already been taken.
    pub fn messages(&self) -> Result<mpsc::Receiver<Message>> {
        let taken = self.0.messages.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| Error::new("the messages of this worker are already being read"))
    }
}
