//! Events: the changes in its cluster that a program can watch.
//!
//! They are delivered on a thread of their own, through a bounded channel. A program that is slow to
//! read them never delays the supervision: events that do not fit are dropped, counted, and
//! reported as [`Event::Lagged`].

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

/// The limit on events that wait for a reader.
const ROOM: usize = 1024;

/// Something that happened in the cluster. Each worker's events come in this order: `Spawned`,
/// `Online`, `Listening`, `Draining`, `Disconnected`, `Exited`; a crash leaves some out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker's process has been started.
    Spawned {
        /// The worker.
        worker: WorkerId,
        /// Its slot.
        slot: SlotId,
        /// Its version.
        generation: Generation,
        /// Its process id.
        pid: u32,
    },
    /// It runs, and has taken over its descriptors.
    Online(WorkerId),
    /// It accepts connections at these addresses.
    Listening(WorkerId, Arc<[String]>),
    /// For the first time, as many workers as wanted accept connections.
    Serving {
        /// The addresses at which they accept.
        addresses: Arc<[String]>,
        /// The number of workers.
        workers: usize,
    },
    /// A worker has sent a message.
    Message(WorkerId, Body),
    /// A worker has asked a question.
    Asked(WorkerId, Body, Answerer),
    /// It was asked to leave, or is leaving of its own accord.
    Draining(WorkerId, Retirement),
    /// It accepts no more connections.
    Disconnected(WorkerId),
    /// It hangs or breaks the protocol, and is being killed.
    Unhealthy(WorkerId, String),
    /// It is gone.
    Exited {
        /// The worker.
        worker: WorkerId,
        /// The process id that it had.
        pid: u32,
        /// The code that it called `exit` with.
        code: Option<i32>,
        /// The number of the signal that killed it, as in Linux: 9 is SIGKILL.
        signal: Option<i32>,
        /// True if the exit was known in advance to be intended. If not, it is a crash, even with
        /// code 0.
        voluntary: bool,
        /// Time since it was spawned.
        uptime: Duration,
    },
    /// A slot's workers die early; the slot is tried again after `delay`.
    BackingOff {
        /// The slot.
        slot: SlotId,
        /// Early deaths in a row.
        failures: u32,
        /// Time until the next attempt.
        delay: Duration,
    },
    /// A slot has reached the limit of early deaths in a row. Attempts continue at the maximum delay,
    /// and each failed one is a `BackingOff`; a reload or a reset tries the slot at once.
    Errored {
        /// The slot.
        slot: SlotId,
        /// Early deaths in a row.
        failures: u32,
        /// Time until the next attempt.
        delay: Duration,
    },
    /// The kernel had no room for a slot's process; the slot is tried again after `delay`. This
    /// does not count as an early death.
    StartRefused {
        /// The slot.
        slot: SlotId,
        /// The reason that the kernel gave.
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
    /// A rolling reload has failed; the reason is meant for people. A slot that already runs the new
    /// version keeps it, unless its worker dies before the minimum up-time.
    ReloadFailed(Generation, Refusal),
    /// No reload has begun: the program cannot be opened, or the settings cannot be used.
    ReloadRefused(Refusal),
    /// A different number of workers is wanted.
    Scaled {
        /// The number before.
        from: usize,
        /// The number now.
        to: usize,
    },
    /// The cluster is stopping.
    Stopping,
    /// You read too slowly: this many events were lost here.
    Lagged(u64),
}

/// A message as it arrived; [`parse`](Body::parse) converts it to your type.
#[derive(Clone)]
pub struct Body(pub(crate) Box<RawValue>);

impl Body {
    /// Parses the message as your type.
    ///
    /// # Errors
    /// The message has a different type.
    pub fn parse<M: DeserializeOwned>(&self) -> Result<M> {
        serde_json::from_str(self.0.get())
            .map_err(|error| Error::because("a message has a different type", error))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

/// The sender of the answer to a worker's question. Like [`Handle`](super::Handle), it must not be
/// used inside a Tokio runtime.
#[derive(Debug)]
pub struct Answerer {
    pub(super) worker: WorkerId,
    pub(super) id: u64,
    pub(super) commands: mpsc::Sender<Command>,
}

impl Answerer {
    /// Sends the answer.
    ///
    /// # Errors
    /// The answer cannot be encoded, or the cluster is gone.
    pub fn send(self, answer: &impl serde::Serialize) -> Result<()> {
        let answer = serde_json::value::to_raw_value(answer)
            .map_err(|error| Error::because("cannot encode an answer", error))?;
        self.answer(Ok(answer))
    }

    /// Refuses to answer, and gives the reason.
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

/// Events as they arrive, until the cluster has stopped.
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
            let missed = self.missed.swap(0, Ordering::Relaxed); // lost after the last event
            (missed > 0).then_some(Event::Lagged(missed))
        })
    }
}

/// The sink for the loop's events.
#[derive(Debug)]
pub(super) struct Sink {
    to: Option<SyncSender<Event>>,
    /// Events that were lost and have not been reported yet.
    missed: Arc<AtomicU64>,
    /// All events that were lost so far.
    pub(super) lost: u64,
}

/// A sink and its events.
pub(super) fn stream() -> (Sink, Events) {
    let (to, from) = sync_channel(ROOM);
    let missed = Arc::<AtomicU64>::default();
    (Sink { to: Some(to), missed: Arc::clone(&missed), lost: 0 }, Events { from, missed })
}

impl Sink {
    /// The sink for a program that does not watch.
    pub(super) fn nowhere() -> Self {
        Self { to: None, missed: Arc::default(), lost: 0 }
    }

    /// Delivers an event, or counts it as lost; never waits.
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

    /// Returns false if there is no room.
    fn try_put(&mut self, event: Event) -> bool {
        let Some(to) = &self.to else { return true };
        match to.try_send(event) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.to = None; // the program has stopped watching
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_reader_learns_how_many_events_were_lost() {
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
    fn loss_of_the_last_events_is_reported_at_the_end() {
        let (mut sink, events) = stream();
        for _ in 0..ROOM + 2 {
            sink.put(Event::Stopping);
        }
        drop(sink);
        assert!(matches!(events.last(), Some(Event::Lagged(2))));
    }

    #[test]
    fn reader_that_stops_does_no_harm() {
        let (mut sink, events) = stream();
        drop(events);
        sink.put(Event::Stopping);
        assert_eq!(sink.lost, 0);
    }
}
