//! A bounded number of connections, of which no client can take all.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

/// Connections at the same time.
const SEATS: usize = 64;

/// The seats that are taken, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Room {
    seats: Vec<Weak<Seat>>,
}

/// A connection's right to be there; it ends when the last clone is dropped.
#[derive(Debug, Default)]
pub(super) struct Seat {
    busy: AtomicBool,
    leave: CancellationToken,
}

impl Room {
    /// A seat for a new connection. When all are taken, the oldest connection that has no request
    /// in work must leave: somebody who opens connections and says nothing shuts nobody out.
    /// `None` when every connection has a request in work.
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
    /// A request is in work for as long as the result lives.
    pub fn work(&self) -> impl Drop {
        self.busy.store(true, Relaxed);
        Busy(self)
    }

    /// Ends when somebody else needs the seat.
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
    fn the_oldest_that_does_nothing_leaves() {
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
