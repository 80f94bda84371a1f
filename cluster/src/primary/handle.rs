//! Requests from a program to its own cluster, made on the thread on which its events arrive.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{mpsc, oneshot};

use super::events::Body;
use super::{Command, Stats};
use crate::shared::{self, Shared};
use crate::supervisor::{Refusal, ScaleTo, SlotId, WorkerId};
use crate::{Error, Result};

/// A handle to the running cluster. All calls except [`shared`](Self::shared) wait for their answer
/// or for room in the channel, so none of them belongs in async code; a worker has its own channel.
///
/// # Panics
/// All calls that wait panic inside a Tokio runtime, which they would block. Use `spawn_blocking`
/// there.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) shared: Option<Shared>,
}

impl Handle {
    /// Starts a rolling reload, and waits until it has finished.
    ///
    /// # Errors
    /// The reload was refused or has failed; the message gives the reason.
    pub fn reload(&self) -> Result<()> {
        self.ask(Command::Reload)?.map(drop).map_err(refused)
    }

    /// Changes the number of workers; does not wait for them.
    ///
    /// # Errors
    /// The number is below the minimum or above the maximum.
    pub fn scale(&self, workers: usize) -> Result<()> {
        let to = ScaleTo::Exactly(workers);
        self.ask(|reply| Command::Scale(to, reply))?.map(drop).map_err(refused)
    }

    /// Tries an errored slot again.
    ///
    /// # Errors
    /// There is nothing to reset.
    pub fn reset(&self, slot: SlotId) -> Result<()> {
        self.ask(|reply| Command::Reset(slot, reply))?.map(drop).map_err(refused)
    }

    /// Stops the cluster gracefully; does not wait. If it is already stopping, nothing changes.
    ///
    /// # Errors
    /// The cluster is already gone.
    pub fn stop(&self) -> Result<()> {
        self.send(Command::Stop { now: false })
    }

    /// Returns the state of the primary and of all workers.
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn stats(&self) -> Result<Stats> {
        self.ask(Command::Stats)
    }

    /// Sends a message to one worker. It is dropped if the worker does not read its messages.
    ///
    /// # Errors
    /// The message cannot be encoded, or the cluster is gone.
    pub fn tell(&self, worker: WorkerId, message: &impl Serialize) -> Result<()> {
        self.send(Command::Tell(worker, raw(message)?))
    }

    /// Sends a message to all workers that are ready.
    ///
    /// # Errors
    /// The message cannot be encoded, or the cluster is gone.
    pub fn broadcast(&self, message: &impl Serialize) -> Result<()> {
        self.send(Command::Broadcast(raw(message)?))
    }

    /// Asks one worker, and waits at most `limit` for the answer.
    ///
    /// # Errors
    /// The answer does not arrive in time or has a different type, or the worker refuses or is gone.
    pub fn request<A: DeserializeOwned>(
        &self,
        worker: WorkerId,
        question: &impl Serialize,
        limit: Duration,
    ) -> Result<A> {
        let question = raw(question)?;
        let answer = self.ask(|reply| Command::Ask(worker, question, limit, reply))?;
        Body(answer.map_err(refused)?).parse()
    }

    /// The numbers that all workers share. They can be read even after the cluster is gone.
    ///
    /// # Errors
    /// The program did not call [`Cluster::shared`](crate::Cluster::shared).
    pub fn shared(&self) -> Result<Shared> {
        self.shared.clone().ok_or_else(shared::none)
    }

    fn send(&self, command: Command) -> Result<()> {
        self.commands.blocking_send(command).map_err(|_| gone())
    }

    fn ask<A>(&self, command: impl FnOnce(oneshot::Sender<A>) -> Command) -> Result<A> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply))?;
        answer.blocking_recv().map_err(|_| gone())
    }
}

pub(super) fn gone() -> Error {
    Error::new("the cluster is gone")
}

fn refused(why: Refusal) -> Error {
    Error::new(why.0)
}

fn raw(message: &impl Serialize) -> Result<Box<RawValue>> {
    to_raw_value(message).map_err(|error| Error::because("cannot encode a message", error))
}
