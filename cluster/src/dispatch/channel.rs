//! The hand-off channel between the primary and one worker.
//!
//! It is a pair of Unix `SOCK_SEQPACKET` sockets, separate from the channel for messages, so that a
//! flood of connections does not delay heartbeats. A packet is a message: it arrives whole or not at
//! all, and its descriptors belong to this message alone, which a byte stream does not guarantee.

use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::packet::{self, NoDescriptors, Packet};
use super::wire::{Given, MOST, Malformed, Order, Report};
use crate::listener::watch;
use crate::supervisor::SlotId;

/// The time for which the end of a connection may stay unreported.
const COLLECT: Duration = Duration::from_millis(5);

/// Makes the two ends: one for the primary, one for the future worker.
///
/// # Errors
/// No descriptors are left.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// The primary's end.
#[derive(Debug)]
pub struct Sender {
    socket: AsyncFd<OwnedFd>,
}

impl Sender {
    /// Takes one end of a [`pair`]; the current Tokio runtime watches it.
    ///
    /// # Errors
    /// The runtime cannot watch another descriptor.
    pub fn new(end: OwnedFd) -> io::Result<Self> {
        Ok(Self { socket: watch(end, Interest::READABLE)? })
    }

    /// Sends an order with its descriptors, of which the worker gets copies. Returns `false` if this
    /// is not possible now, because the channel is full or too many descriptors are in flight in the
    /// whole system.
    ///
    /// # Errors
    /// The worker has closed its end, or is gone.
    pub fn send(&self, order: &Order, descriptors: &[BorrowedFd<'_>]) -> io::Result<bool> {
        debug_assert_eq!(order.descriptors(), descriptors.len());
        packet::send(self.socket.get_ref(), &order.encode(), descriptors)
    }

    /// Reads a report from the worker, if there is one; `None` if the worker has closed its end. Does
    /// not wait: an error of kind `WouldBlock` means that there is no report.
    ///
    /// # Errors
    /// The message is malformed (kind `InvalidData`), or the channel is broken.
    pub fn try_recv(&self) -> io::Result<Option<Report>> {
        let packet = Packet::recv(self.socket.get_ref())?;
        packet.map(|it| it.into_report().map_err(invalid)).transpose()
    }

    /// Does the same as [`try_recv`](Self::try_recv), but if there is no report, wakes the task when
    /// one arrives.
    pub fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Report>>> {
        loop {
            let mut ready = std::task::ready!(self.socket.poll_read_ready(cx))?;
            if let Ok(result) = ready.try_io(|_| self.try_recv()) {
                return Poll::Ready(result);
            }
        }
    }
}

/// A delivery to a worker.
#[derive(Debug)]
pub enum Delivery {
    /// Connections to serve. Each must be acked or declined by [`Receiver::answer`].
    Connections(Vec<Handed>),
    /// Another listening socket to accept from.
    Lend {
        /// The slot that owns the socket.
        slot: SlotId,
        /// The number of its address in the settings.
        listener: u16,
        /// The socket.
        socket: OwnedFd,
    },
    /// The cluster is stopping: every connection from now on must be served, beyond any limit.
    AdmitAll,
    /// The sockets of this slot must be closed.
    TakeBack {
        /// The slot that owns the sockets.
        slot: SlotId,
    },
}

/// One connection that the primary has accepted.
#[derive(Debug)]
pub struct Handed {
    /// Its id in the answer, and its listener.
    pub given: Given,
    /// The connection; see [`Stream::adopt`](crate::listener::Stream::adopt).
    pub fd: OwnedFd,
}

/// The worker's end.
#[derive(Debug)]
pub struct Receiver {
    socket: AsyncFd<OwnedFd>,
    ended: Arc<Ended>,
}

/// Connections that have ended since the last report.
#[derive(Debug, Default)]
struct Ended {
    count: AtomicU32,
    changed: Notify,
    /// The time at which they must be reported. Kept here, because the future that waits may be
    /// dropped and recreated at any time.
    due: Mutex<Option<Instant>>,
}

impl Ended {
    /// Waits until some have ended, and then a little longer: others may follow, or an answer may
    /// carry the number.
    async fn some(&self) {
        if self.count.load(Ordering::Relaxed) == 0 {
            self.changed.notified().await;
        }
        let due = *self.due().get_or_insert_with(|| Instant::now() + COLLECT);
        tokio::time::sleep_until(due).await;
    }

    /// Takes the number of ended connections; the caller must report it.
    fn take(&self) -> u32 {
        *self.due() = None;
        self.count.swap(0, Ordering::Relaxed)
    }

    fn due(&self) -> MutexGuard<'_, Option<Instant>> {
        self.due.lock().expect("nothing panics while it holds this lock")
    }
}

/// Represents one open connection; dropped with it, so that the primary's count goes down.
#[derive(Debug)]
pub struct Open {
    ended: Arc<Ended>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.ended.count.fetch_add(1, Ordering::Relaxed);
        self.ended.changed.notify_one();
    }
}

impl Receiver {
    /// Takes the worker's end of a [`pair`]; the current Tokio runtime watches it.
    ///
    /// # Errors
    /// The runtime cannot watch another descriptor.
    pub fn new(end: OwnedFd) -> io::Result<Self> {
        let socket = watch(end, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { socket, ended: Arc::default() })
    }

    /// Waits for the primary's next delivery; `None` if the primary has hung up. Meanwhile, it
    /// reports to the primary the connections that end. Dropping the future loses no delivery.
    ///
    /// # Errors
    /// The primary is broken (kind `InvalidData`): the descriptors of the message are closed.
    pub async fn recv(&self) -> io::Result<Option<Delivery>> {
        loop {
            tokio::select! {
                biased;
                packet = self.socket.async_io(Interest::READABLE, Packet::recv) => {
                    let Some(packet) = packet? else { return Ok(None) };
                    match packet.into_delivery().map_err(invalid)? {
                        Ok(delivery) => return Ok(Some(delivery)),
                        Err(NoDescriptors(ids)) => self.answer(&[], &ids).await?,
                    }
                }
                () = self.ended.some() => self.answer(&[], &[]).await?,
            }
        }
    }

    /// Reports the connections that this worker takes, before it reads their first byte, and the
    /// connections that it declines, after closing them.
    ///
    /// # Errors
    /// The primary is gone.
    pub async fn answer(&self, acked: &[u64], declined: &[u64]) -> io::Result<()> {
        let mut acked = acked.chunks(MOST);
        let mut declined = declined.chunks(MOST);
        loop {
            let (acked, declined) = match acked.next() {
                Some(ids) => (ids.to_vec(), Vec::new()),
                None => (Vec::new(), declined.next().unwrap_or_default().to_vec()),
            };
            if !self.report(acked, declined).await? {
                return Ok(());
            }
        }
    }

    /// Makes a token for an acked connection: drop the token when the connection ends.
    #[must_use]
    pub fn open(&self) -> Open {
        Open { ended: Arc::clone(&self.ended) }
    }

    /// Sends one report, which includes the connections that have ended; `false` if there is nothing
    /// to report.
    async fn report(&self, acked: Vec<u64>, declined: Vec<u64>) -> io::Result<bool> {
        let mut report = Report { acked, declined, closed: 0 };
        let send = |socket: &OwnedFd| {
            let ended = self.ended.take();
            report.closed = ended;
            if report == Report::default() {
                return Ok(false);
            }
            if packet::send(socket, &report.encode(), &[])? {
                return Ok(true);
            }
            self.ended.count.fetch_add(ended, Ordering::Relaxed); // for the next attempt
            Err(ErrorKind::WouldBlock.into())
        };
        self.socket.async_io(Interest::WRITABLE, send).await
    }
}

fn invalid(malformed: Malformed) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, malformed)
}
