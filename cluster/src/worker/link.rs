//! The worker's end of the channel: the messages to and from the primary.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::channel::frame::{self, Frames};
use crate::channel::message::{Answer, ToPrimary, ToWorker};
use crate::primary::Body;
use crate::{Error, Result};

/// The maximum number of frames that wait for the primary; beyond the limit the sender waits too.
const ROOM: usize = 256;

/// The maximum number of unread messages that are kept for the program; beyond the limit new ones
/// are dropped.
const UNREAD: usize = 1024;

/// Sends to the primary; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    frames: mpsc::Sender<Outgoing>,
    next: AtomicU64,
    asked: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
}

#[derive(Debug)]
enum Outgoing {
    Frame(Bytes),
    Flush(oneshot::Sender<()>),
}

/// A message from the primary for the program.
#[derive(Debug)]
pub struct Message {
    /// Its contents.
    pub body: Body,
    /// The way back for an answer, if it is a question.
    pub reply: Option<ReplyTo>,
}

/// The way back for the answer to a question.
#[derive(Debug)]
pub struct ReplyTo {
    id: u64,
    link: Link,
}

impl ReplyTo {
    /// Sends the answer.
    ///
    /// # Errors
    /// The answer cannot be encoded, or the primary is gone.
    pub async fn send(self, answer: &impl Serialize) -> Result<()> {
        let answer = raw(answer)?;
        self.link.send(&ToPrimary::Answer(self.id, Ok(answer))).await
    }

    /// Sends the reason why there is no answer.
    ///
    /// # Errors
    /// The primary is gone.
    pub async fn refuse(self, why: impl Into<String>) -> Result<()> {
        self.link.send(&ToPrimary::Answer(self.id, Err(why.into()))).await
    }
}

impl Link {
    /// A link that writes to `channel`.
    pub(super) fn new(channel: OwnedWriteHalf) -> Self {
        let (frames, waiting) = mpsc::channel(ROOM);
        tokio::spawn(write(channel, waiting));
        Self(Arc::new(Inner { frames, next: AtomicU64::new(1), asked: Mutex::default() }))
    }

    /// Sends a message; waits while the primary is busy.
    pub(super) async fn send(&self, message: &ToPrimary) -> Result<()> {
        let frame = frame::encode(message)?;
        self.0.frames.send(Outgoing::Frame(frame)).await.map_err(|_| gone())
    }

    /// Sends a message without waiting, for a caller that may be dropped: by then, the message is on its
    /// way.
    pub(super) fn send_soon(&self, message: &ToPrimary) {
        let Ok(frame) = frame::encode(message) else { return };
        let sent = self.0.frames.try_send(Outgoing::Frame(frame));
        if let Err(mpsc::error::TrySendError::Full(frame)) = sent {
            let frames = self.0.frames.clone();
            tokio::spawn(async move { frames.send(frame).await });
        }
    }

    /// Waits until everything that was sent is in the kernel's hands: there it survives our exit.
    pub(super) async fn flush(&self) {
        let (written, done) = oneshot::channel();
        if self.0.frames.send(Outgoing::Flush(written)).await.is_ok() {
            let _ = done.await;
        }
    }

    /// Asks the primary, and waits at most `limit`.
    pub(super) async fn ask<A: DeserializeOwned>(
        &self,
        question: &impl Serialize,
        limit: Duration,
    ) -> Result<A> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (answered, answer) = oneshot::channel();
        self.asked().insert(id, answered);
        let _open = Open { link: self, id };
        let asked = async {
            self.send(&ToPrimary::Ask(id, raw(question)?)).await?;
            answer.await.map_err(|_| gone())
        };
        let answer = timeout(limit, asked).await;
        let late = |_| Error::new(format!("the primary did not answer within {limit:?}"));
        Body(answer.map_err(late)??.map_err(Error::new)?).parse()
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that waits for its answer; it is forgotten when its caller is no longer waiting.
struct Open<'l> {
    link: &'l Link,
    id: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.link.asked().remove(&self.id);
    }
}

pub(super) fn raw(message: &impl Serialize) -> Result<Box<RawValue>> {
    to_raw_value(message).map_err(|error| Error::because("cannot encode a message", error))
}

fn gone() -> Error {
    Error::new("the primary is gone")
}

async fn write(mut channel: OwnedWriteHalf, mut waiting: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = waiting.recv().await {
        match outgoing {
            Outgoing::Frame(frame) => {
                if channel.write_all(&frame).await.is_err() {
                    return; // without a primary we will exit in a moment
                }
            }
            Outgoing::Flush(written) => drop(written.send(())),
        }
    }
}

/// An order from the primary about the worker's life.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Leave.
    Drain(Drain),
    /// Keep serving until the order to drain.
    ServeOn,
    /// Cut everything that is left.
    Cut,
}

/// The times of a drain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    pub(super) window: Duration,
    pub(super) deadline: Duration,
}

/// The receivers of the primary's messages.
pub(super) struct Ears {
    pub(super) link: Link,
    pub(super) orders: mpsc::UnboundedSender<Order>,
    /// The permission to accept connections.
    pub(super) admitted: watch::Sender<bool>,
    pub(super) messages: mpsc::Sender<Message>,
}

/// The queue for [`Ears::messages`].
pub(super) fn inbox() -> (mpsc::Sender<Message>, mpsc::Receiver<Message>) {
    mpsc::channel(UNREAD)
}

/// Receives the primary's messages until the channel ends.
pub(super) async fn listen(mut channel: OwnedReadHalf, ears: Ears) -> Result<()> {
    let (mut buffer, mut frames) = (BytesMut::new(), Frames::default());
    loop {
        while let Some(message) = frames.next(&mut buffer)? {
            ears.receive(message);
        }
        if channel.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

impl Ears {
    fn receive(&self, message: ToWorker) {
        match message {
            ToWorker::Hello(_) => {} // it was read before the runtime started
            ToWorker::Drain { window, deadline } => {
                let _ = self.orders.send(Order::Drain(Drain { window, deadline }));
            }
            ToWorker::ServeOn => drop(self.orders.send(Order::ServeOn)),
            ToWorker::Cut => drop(self.orders.send(Order::Cut)),
            ToWorker::Accept => drop(self.admitted.send_replace(true)),
            ToWorker::Tell(body) => self.message(Message { body: Body(body), reply: None }),
            ToWorker::Ask(id, body) => {
                let reply = ReplyTo { id, link: self.link.clone() };
                self.message(Message { body: Body(body), reply: Some(reply) });
            }
            ToWorker::Answer(id, answer) => {
                if let Some(waiting) = self.link.asked().remove(&id) {
                    let _ = waiting.send(answer); // the caller may have given up
                }
            }
        }
    }

    /// A worker that does not read its messages must still receive the order to leave.
    fn message(&self, message: Message) {
        if self.messages.try_send(message).is_err() {
            tracing::warn!("a message was dropped: this worker is not reading them");
        }
    }
}
