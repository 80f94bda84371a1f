//! A worker as the primary holds it: its process, the way to it, and what it told of itself.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use nix::unistd::Pid;
use rustix::process::{Signal as Number, pidfd_send_signal};
use serde_json::value::RawValue;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::courier::{self, Deliver};
use crate::channel::frame;
use crate::channel::message::{Answer, ToWorker};
use crate::spawn::Process;
use crate::supervisor::{Signal, SlotId, Vitals, WorkerId};
use crate::{Result, listener};

/// How many messages of the program wait for a worker that does not read.
const ROOM: usize = 1024;

/// One worker, from its start until it is reaped.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) slot: SlotId,
    pub(super) pid: Pid,
    pub(super) since: Instant,
    pub(super) vitals: Vitals,
    pub(super) heard: Option<SystemTime>,
    pidfd: OwnedFd,
    control: mpsc::UnboundedSender<Bytes>,
    messages: mpsc::Sender<Bytes>,
    asked: HashMap<u64, oneshot::Sender<Answer>>,
    writer: JoinHandle<()>,
}

impl Peer {
    /// Begins to attend a process that was just started.
    pub(super) fn attend(
        worker: WorkerId,
        slot: SlotId,
        process: Process,
        channel: UnixStream,
        deliver: Deliver,
    ) -> Result<Self> {
        let (from, to) = channel.into_split();
        let watched = process.pidfd.try_clone();
        let watched = watched.and_then(|pidfd| listener::watch(pidfd, Interest::READABLE));
        let watched = watched.inspect_err(|_| process.end())?;
        tokio::spawn(courier::attend(worker, from, watched, deliver));
        let (control, wanted) = mpsc::unbounded_channel();
        let (messages, waiting) = mpsc::channel(ROOM);
        Ok(Self {
            slot,
            pid: process.pid,
            since: Instant::now(),
            vitals: Vitals::default(),
            heard: None,
            pidfd: process.pidfd,
            control,
            messages,
            asked: HashMap::new(),
            writer: tokio::spawn(courier::write(to, wanted, waiting)),
        })
    }

    /// Sends what the supervisor wants; it overtakes the program's messages.
    pub(super) fn control(&self, message: &ToWorker) -> Result<()> {
        let _ = self.control.send(frame::encode(message)?); // when it is going, its exit tells
        Ok(())
    }

    /// Sends a message of the program; false when the worker has too many unread.
    pub(super) fn message(&self, message: &ToWorker) -> Result<bool> {
        let frame = frame::encode(message)?;
        Ok(!matches!(self.messages.try_send(frame), Err(mpsc::error::TrySendError::Full(_))))
    }

    /// Sends a question; the answer comes through `answered`.
    pub(super) fn ask(
        &mut self,
        id: u64,
        question: Box<RawValue>,
        answered: oneshot::Sender<Answer>,
    ) -> Result<bool> {
        self.asked.retain(|_, waiting| !waiting.is_closed()); // whose time was up
        self.asked.insert(id, answered);
        self.message(&ToWorker::Ask(id, question))
    }

    /// The worker has answered.
    pub(super) fn answered(&mut self, id: u64, answer: Answer) {
        if let Some(waiting) = self.asked.remove(&id) {
            let _ = waiting.send(answer); // who asked may have given up
        }
    }

    /// Sends a signal to this very process, even when its number has been given to another one.
    pub(super) fn signal(&self, signal: Signal) {
        let number = match signal {
            Signal::Term => Number::TERM,
            Signal::Abort => Number::ABORT,
            Signal::Kill => Number::KILL,
        };
        let _ = pidfd_send_signal(self.pidfd.as_fd(), number); // ESRCH: it is dead already
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.writer.abort(); // who asked sees its question dropped
    }
}
