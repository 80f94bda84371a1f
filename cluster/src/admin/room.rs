//! A limited number of connections, so that no client can take them all.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

/// The limit on simultaneous connections.
const SEATS: usize = 64;

/// The seats that are taken, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Room {
    seats: Vec<Weak<Seat>>,
}

/// A connection's right to stay; it ends when the last clone is dropped.
#[derive(Debug, Default)]
pub(super) struct Seat {
    busy: AtomicBool,
    leave: CancellationToken,
}

impl Room {
    /// Takes a seat for a new connection. If all are taken, the oldest connection without a request
    /// in progress must leave: a client that opens connections and sends nothing cannot shut others
    /// out. `None` if every connection has a request in progress.
    pub fn take(&mut self) -> Option<Arc<Seat>> {
        self.seats.retain(|seat| seat.strong_count() > 0);
        if self.seats.len() >= SEATS {
            let idle =
                |seat: &Weak<Seat>| seat.upgrade().is_none_or(|seat| !seat.busy.load(Relaxed));
            let leaves = self.seats.remove(self.seats.iter().position(idle)?);
            if let Some(leaves) = leaves.upgrade() {
                leaves.leave.cancel();
            }
        }
        let seat = Arc::new(Seat::default());
        self.seats.push(Arc::downgrade(&seat));
        Some(seat)
    }
}

impl Seat {
    /// Marks a request as in progress for as long as the returned value lives.
    pub fn work(&self) -> impl Drop {
        self.busy.store(true, Relaxed);
        Busy(self)
    }

    /// Resolves when another connection needs the seat.
    pub async fn left(&self) {
        self.leave.cancelled().await;
    }
}

struct Busy<'a>(&'a Seat);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, SEATS};

    #[test]
    fn oldest_idle_connection_leaves() {
        let mut room = Room::default();
        let seats: Vec<_> = (0..SEATS).map(|_| room.take().expect("a free seat")).collect();
        let first = seats[0].work();
        let newcomer = room.take().expect("the second seat");
        let left: Vec<_> = seats.iter().map(|seat| seat.leave.is_cancelled()).collect();
        assert_eq!(left.iter().position(|left| *left), Some(1));
        assert_eq!(left.iter().filter(|left| **left).count(), 1);

        let _all: Vec<_> = seats.iter().chain([&newcomer]).map(|seat| seat.work()).collect();
        assert!(room.take().is_none(), "all are busy");
        drop(first);
        assert!(room.take().is_some(), "one has finished");
    }
}
