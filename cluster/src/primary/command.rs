//! What other threads may ask of the driver: the admin API's and the program's own.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Stats;
use crate::channel::message::Answer;
use crate::metrics::Totals;
use crate::supervisor::{Refusal, ScaleTo, SlotId, WorkerId};

/// Where the answer to a change goes: the number of workers wanted, or why not.
pub type Reply = oneshot::Sender<Result<usize, Refusal>>;

/// A wish, sent over a bounded channel to the one loop that owns all state.
#[derive(Debug)]
pub enum Command {
    /// Rolling reload. The answer comes when it has finished or failed.
    Reload(Reply),
    /// Another number of workers.
    Scale(ScaleTo, Reply),
    /// Try an errored slot again.
    Reset(SlotId, Reply),
    /// Stop gracefully, however often it comes; or at once.
    Stop {
        /// At once.
        now: bool,
    },
    /// How is everybody?
    Stats(oneshot::Sender<Stats>),
    /// All counters, those of retired workers included.
    Metrics(oneshot::Sender<Totals>),
    /// A message to one worker.
    Tell(WorkerId, Box<RawValue>),
    /// A message to all workers that are ready.
    Broadcast(Box<RawValue>),
    /// A question to one worker, and how long to wait; the answer, or why there is none.
    Ask(WorkerId, Box<RawValue>, Duration, oneshot::Sender<Result<Box<RawValue>, Refusal>>),
    /// The answer to a worker's question.
    Answer(WorkerId, u64, Answer),
}
