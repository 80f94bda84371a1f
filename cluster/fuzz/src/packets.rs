//! The hand-off channel.

use cluster::dispatch::wire::{LONGEST, MOST, Order, Report};

/// A packet is refused, or encodes to the same bytes again.
pub fn packets(bytes: &[u8]) {
    if let Ok(order) = Order::decode(bytes) {
        assert_eq!(order.encode(), bytes);
        assert!(bytes.len() <= LONGEST && order.descriptors() <= MOST);
    }
    if let Ok(report) = Report::decode(bytes) {
        // The order of acked among declined ids is not kept; nothing else is lost.
        let again = report.encode();
        assert!(again.len() == bytes.len() && bytes.len() <= LONGEST);
        assert_eq!(Report::decode(&again), Ok(report));
    }
}
