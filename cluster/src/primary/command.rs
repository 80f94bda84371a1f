//! Requests from other threads to the driver: those of the admin API and those of the program itself.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Stats;
use crate::channel::message::Answer;
use crate::metrics::Totals;
use crate::supervisor::{Refusal, ScaleTo, SlotId, WorkerId};

/// The sender of the answer to a change: the number of workers wanted, or the reason for the refusal.
pub type Reply = oneshot::Sender<Result<usize, Refusal>>;

/// A request, sent over a bounded channel to the one loop that owns all state.
#[derive(Debug)]
pub enum Command {
    /// Rolling reload. The answer comes when it has finished or failed.
    Reload(Reply),
    /// Change the number of workers.
    Scale(ScaleTo, Reply),
    /// Try an errored slot again.
    Reset(SlotId, Reply),
    /// Stop gracefully, even if the request is repeated; or stop at once.
    Stop {
        /// True for a stop at once.
        now: bool,
    },
    /// Report the state of the primary and of all workers.
    Stats(oneshot::Sender<Stats>),
    /// All counters, including those of retired workers.
    Metrics(oneshot::Sender<Totals>),
    /// A message to one worker.
    Tell(WorkerId, Box<RawValue>),
    /// A message to all workers that are ready.
    Broadcast(Box<RawValue>),
    /// A question to one worker, and the time to wait; the answer, or the reason why there is none.
    Ask(WorkerId, Box<RawValue>, Duration, oneshot::Sender<Result<Box<RawValue>, Refusal>>),
    /// The answer to a worker's question.
    Answer(WorkerId, u64, Answer),
}
