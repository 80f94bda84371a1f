//! Events: what a program can watch of its cluster.
//!
//! They are delivered on a thread of their own, through a bounded channel. A program that is slow to
//! read them never delays the supervision: what does not fit is dropped, counted, and reported as
//! [`Event::Lagged`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::Command;
use crate::supervisor::{Generation, Refusal, Retirement, SlotId, WorkerId};
use crate::{Error, Result};

/// How many events wait for a reader at most.
const ROOM: usize = 1024;

/// Something that happened in the cluster. Each worker's events come in this order: `Spawned`,
/// `Online`, `Listening`, `Draining`, `Disconnected`, `Exited`; a crash leaves some out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker's process has been started.
    Spawned {
        /// Who.
        worker: WorkerId,
        /// Where.
        slot: SlotId,
        /// Which version.
        generation: Generation,
        /// Its process id.
        pid: u32,
    },
    /// It runs, and has taken over its descriptors.
    Online(WorkerId),
    /// It accepts connections at these addresses.
    Listening(WorkerId, Arc<[String]>),
    /// For the first time as many workers as wanted accept connections.
    Serving {
        /// Where.
        addresses: Arc<[String]>,
        /// How many workers.
        workers: usize,
    },
    /// A worker has sent a message.
    Message(WorkerId, Body),
    /// A worker has asked a question.
    Asked(WorkerId, Body, Answerer),
    /// It was told to leave, or leaves by its own wish.
    Draining(WorkerId, Retirement),
    /// It accepts no more connections.
    Disconnected(WorkerId),
    /// It hangs or breaks the protocol, and is being killed.
    Unhealthy(WorkerId, String),
    /// It is gone.
    Exited {
        /// Who.
        worker: WorkerId,
        /// Its process id was this.
        pid: u32,
        /// The code it called `exit` with.
        code: Option<i32>,
        /// The number of the signal that killed it, as Linux counts: 9 is SIGKILL.
        signal: Option<i32>,
        /// Whether the intent was known before. If not, it is a crash, even with code 0.
        voluntary: bool,
        /// Time since it was spawned.
        uptime: Duration,
    },
    /// A slot's workers die early; it is tried again after `delay`.
    BackingOff {
        /// Which slot.
        slot: SlotId,
        /// Early deaths in a row.
        failures: u32,
        /// Time until the next attempt.
        delay: Duration,
    },
    /// A slot has reached the limit of early deaths in a row. Attempts go on at the maximum delay, and
    /// each that fails is a `BackingOff`; a reload or a reset tries it at once.
    Errored {
        /// Which slot.
        slot: SlotId,
        /// Early deaths in a row.
        failures: u32,
        /// Time until the next attempt.
        delay: Duration,
    },
    /// The kernel had no room for a slot's process; the slot is tried again after `delay`. It does
    /// not count as an early death.
    StartRefused {
        /// Which slot.
        slot: SlotId,
        /// What the kernel said.
        reason: String,
        /// Time until the next attempt.
        delay: Duration,
    },
    /// No worker has been ready for 5 seconds, or none will be within 5: connections are refused
    /// until one is.
    Suspended,
    /// A rolling reload has begun.
    ReloadStarted(Generation),
    /// All slots run the new version.
    ReloadFinished(Generation),
    /// It stopped; the reason is for people.
    ReloadFailed(Generation, Refusal),
    /// None has begun: the program cannot be opened, or the settings cannot be used.
    ReloadRefused(Refusal),
    /// Another number of workers is wanted.
    Scaled {
        /// Before.
        from: usize,
        /// Now.
        to: usize,
    },
    /// The cluster stops.
    Stopping,
    /// You read too slowly: this many events were lost here.
    Lagged(u64),
}

/// A message as it came; [`parse`](Body::parse) makes it yours.
#[derive(Clone)]
pub struct Body(pub(crate) Box<RawValue>);

impl Body {
    /// The message as your type.
    ///
    /// # Errors
    /// It is another one.
    pub fn parse<M: DeserializeOwned>(&self) -> Result<M> {
        serde_json::from_str(self.0.get())
            .map_err(|error| Error::because("a message has another type", error))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

/// The way back for the answer to a worker's question. Like [`Handle`](super::Handle) it must not be
/// used inside of a Tokio runtime.
#[derive(Debug)]
pub struct Answerer {
    pub(super) worker: WorkerId,
    pub(super) id: u64,
    pub(super) commands: mpsc::Sender<Command>,
}

impl Answerer {
    /// Answers.
    ///
    /// # Errors
    /// The answer cannot be encoded, or the cluster is gone.
    pub fn send(self, answer: &impl serde::Serialize) -> Result<()> {
        let answer = serde_json::value::to_raw_value(answer)
            .map_err(|error| Error::because("cannot encode an answer", error))?;
        self.answer(Ok(answer))
    }

    /// Says why there is no answer.
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn refuse(self, why: impl Into<String>) -> Result<()> {
        self.answer(Err(why.into()))
    }

    fn answer(self, answer: Result<Box<RawValue>, String>) -> Result<()> {
        self.commands
            .blocking_send(Command::Answer(self.worker, self.id, answer))
            .map_err(|_| super::handle::gone())
    }
}

/// Events as they come, until the cluster has stopped.
#[derive(Debug)]
pub struct Events {
    from: Receiver<Event>,
    missed: Arc<AtomicU64>,
}

impl Iterator for Events {
    type Item = Event;

    /// Waits for the next event.
    fn next(&mut self) -> Option<Event> {
        self.from.recv().ok().or_else(|| {
            let missed = self.missed.swap(0, Ordering::Relaxed); // with the last ones nothing came after
            (missed > 0).then_some(Event::Lagged(missed))
        })
    }
}

/// Where the loop puts events.
#[derive(Debug)]
pub(super) struct Sink {
    to: Option<SyncSender<Event>>,
    /// Not yet reported.
    missed: Arc<AtomicU64>,
    /// All that were lost so far.
    pub(super) lost: u64,
}

/// A sink and its events.
pub(super) fn stream() -> (Sink, Events) {
    let (to, from) = sync_channel(ROOM);
    let missed = Arc::<AtomicU64>::default();
    (Sink { to: Some(to), missed: Arc::clone(&missed), lost: 0 }, Events { from, missed })
}

impl Sink {
    /// For a program that does not watch.
    pub(super) fn nowhere() -> Self {
        Self { to: None, missed: Arc::default(), lost: 0 }
    }

    /// Puts an event, or counts it as lost; never waits.
    pub(super) fn put(&mut self, event: Event) {
        let missed = self.missed.load(Ordering::Relaxed);
        if missed > 0 && self.try_put(Event::Lagged(missed)) {
            self.missed.store(0, Ordering::Relaxed);
        }
        if self.missed.load(Ordering::Relaxed) > 0 || !self.try_put(event) {
            self.missed.fetch_add(1, Ordering::Relaxed);
            self.lost += 1;
        }
    }

    /// False when there is no room.
    fn try_put(&mut self, event: Event) -> bool {
        let Some(to) = &self.to else { return true };
        match to.try_send(event) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.to = None; // whoever watched has enough
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_too_slowly_is_told_how_much_was_lost() {
        let (mut sink, mut events) = stream();
        for _ in 0..ROOM + 3 {
            sink.put(Event::Stopping);
        }
        assert_eq!(events.by_ref().take(ROOM).count(), ROOM);
        sink.put(Event::Stopping);
        assert!(matches!(events.next(), Some(Event::Lagged(3))));
        assert!(matches!(events.next(), Some(Event::Stopping)));
        assert_eq!(sink.lost, 3);
    }

    #[test]
    fn who_lost_the_last_events_is_told_at_the_end() {
        let (mut sink, events) = stream();
        for _ in 0..ROOM + 2 {
            sink.put(Event::Stopping);
        }
        drop(sink);
        assert!(matches!(events.last(), Some(Event::Lagged(2))));
    }

    #[test]
    fn who_stops_reading_harms_nobody() {
        let (mut sink, events) = stream();
        drop(events);
        sink.put(Event::Stopping);
        assert_eq!(sink.lost, 0);
    }
}
