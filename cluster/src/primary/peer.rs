//! A worker as the primary sees it: its process, the channel to it, and the state that it reported.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use nix::unistd::Pid;
use rustix::process::{Signal as Number, pidfd_send_signal};
use serde_json::value::RawValue;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use super::courier::{self, Deliver};
use super::outbox::Outbox;
use crate::channel::frame;
use crate::channel::message::{Answer, ToWorker};
use crate::spawn::Process;
use crate::supervisor::{Signal, SlotId, Vitals, WorkerId};
use crate::{Result, listener};

/// One worker, from its start until it is reaped.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) slot: SlotId,
    /// The number of workers that its slot had before it.
    pub(super) restarts: u64,
    pub(super) pid: Pid,
    pub(super) since: Instant,
    pub(super) vitals: Vitals,
    pub(super) last_report: Option<SystemTime>,
    /// It has reported that it is running.
    pub(super) online: bool,
    /// It has reported that it cannot start.
    pub(super) cannot_begin: bool,
    pidfd: OwnedFd,
    outbox: Outbox,
    asked: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Peer {
    /// Starts to attend to a process that has just been started.
    pub(super) fn attend(
        worker: WorkerId,
        slot: SlotId,
        restarts: u64,
        process: Process,
        channel: UnixStream,
        deliver: Deliver,
    ) -> Result<Self> {
        let (from, to) = channel.into_split();
        let watched = process.pidfd.try_clone();
        let watched = watched.and_then(|pidfd| listener::watch(pidfd, Interest::READABLE));
        let watched = match watched {
            Ok(watched) => watched,
            Err(error) => {
                process.abandon(); // a process that we cannot watch must not keep running
                return Err(error.into());
            }
        };
        tokio::spawn(courier::attend(worker, from, watched, deliver));
        Ok(Self {
            slot,
            restarts,
            pid: process.pid,
            since: Instant::now(),
            vitals: Vitals::default(),
            last_report: None,
            online: false,
            cannot_begin: false,
            pidfd: process.pidfd,
            outbox: Outbox::new(to),
            asked: HashMap::new(),
        })
    }

    /// Sends the first message.
    pub(super) fn begin(&self, hello: Bytes) {
        self.outbox.control(hello);
    }

    /// Sends a message of the supervisor; it overtakes the program's messages.
    pub(super) fn control(&self, message: &ToWorker) -> Result<()> {
        self.outbox.control(frame::encode(message)?);
        Ok(())
    }

    /// Sends a message of the program. If the worker has left too much unread, the message is
    /// dropped, and the number of messages dropped so far is returned.
    pub(super) fn message(&self, message: &ToWorker) -> Result<Result<(), u64>> {
        Ok(self.outbox.message(frame::encode(message)?))
    }

    /// Sends a question; the answer comes through `answered`.
    pub(super) fn ask(
        &mut self,
        id: u64,
        question: Box<RawValue>,
        answered: oneshot::Sender<Answer>,
    ) -> Result<Result<(), u64>> {
        self.asked.retain(|_, waiting| !waiting.is_closed()); // their time was up
        self.asked.insert(id, answered);
        self.message(&ToWorker::Ask(id, question))
    }

    /// The worker has answered.
    pub(super) fn answered(&mut self, id: u64, answer: Answer) {
        if let Some(waiting) = self.asked.remove(&id) {
            let _ = waiting.send(answer); // the caller may have given up
        }
    }

    /// Sends a signal to exactly this process, even if its pid has been given to another process.
    pub(super) fn signal(&self, signal: Signal) {
        let number = match signal {
            Signal::Term => Number::TERM,
            Signal::Abort => Number::ABORT,
            Signal::Kill => Number::KILL,
        };
        let _ = pidfd_send_signal(self.pidfd.as_fd(), number); // ESRCH: it is already dead
    }
}
