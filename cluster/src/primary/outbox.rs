//! The messages that are waiting to be written to one worker.
//!
//! The supervisor's messages overtake the program's own, which are bounded in number and in bytes: a
//! worker that does not read costs no more than that, and its messages are dropped.

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

/// The limit on the number of waiting messages of the program.
const MESSAGES: usize = 1024;

/// The limit on their total size in bytes.
const BYTES: usize = 8 * 1024 * 1024;

/// A frame, with the room that it takes up while it waits.
type Waiting = (Bytes, OwnedSemaphorePermit);

/// The sending side of the channel to one worker.
#[derive(Debug)]
pub(super) struct Outbox {
    control: mpsc::UnboundedSender<Bytes>,
    messages: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    dropped: Cell<u64>,
    writer: JoinHandle<()>,
}

impl Outbox {
    pub(super) fn new(channel: OwnedWriteHalf) -> Self {
        let (control, wanted) = mpsc::unbounded_channel();
        let (messages, waiting) = mpsc::channel(MESSAGES);
        Self {
            control,
            messages,
            room: Arc::new(Semaphore::new(BYTES)),
            dropped: Cell::new(0),
            writer: tokio::spawn(write(channel, wanted, waiting)),
        }
    }

    /// Sends a message of the supervisor.
    pub(super) fn control(&self, frame: Bytes) {
        let _ = self.control.send(frame); // if the worker is exiting, this will be reported
    }

    /// Sends a message of the program, or drops it if too much is waiting; in that case it returns
    /// the number of messages dropped so far.
    pub(super) fn message(&self, frame: Bytes) -> Result<(), u64> {
        let size = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(size);
        let full = match room {
            Ok(room) => {
                let sent = self.messages.try_send((frame, room));
                matches!(sent, Err(mpsc::error::TrySendError::Full(_)))
            }
            Err(_) => true,
        };
        if !full {
            return Ok(());
        }
        self.dropped.set(self.dropped.get() + 1);
        Err(self.dropped.get())
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn write(
    mut channel: OwnedWriteHalf,
    mut control: mpsc::UnboundedReceiver<Bytes>,
    mut messages: mpsc::Receiver<Waiting>,
) {
    loop {
        let (frame, _room) = tokio::select! {
            biased;
            Some(frame) = control.recv() => (frame, None),
            Some((frame, room)) = messages.recv() => (frame, Some(room)),
            else => return,
        };
        if channel.write_all(&frame).await.is_err() {
            return; // the worker is exiting: its courier will report it
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn worker_that_does_not_read_costs_a_bounded_number_of_bytes() {
        let (ours, _theirs) = tokio::net::UnixStream::pair().expect("there is room");
        let outbox = Outbox::new(ours.into_split().1);
        let frame = Bytes::from(vec![0; 1024 * 1024]);
        for _ in 0..8 {
            outbox.message(frame.clone()).expect("there is room for eight");
        }
        assert_eq!(outbox.message(frame.clone()), Err(1));
        assert_eq!(outbox.message(frame), Err(2));
        assert_eq!(outbox.message(Bytes::new()), Ok(()), "a small one still fits");
    }
}
