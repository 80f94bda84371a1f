//! The first way: a variable. It is good for data that each process may have of its own, such as a
//! cache, and wrong for a number that all of them increment. Every process has one of its own, because
//! `exec` starts a program with fresh memory, and `fork` would copy it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Atomic, for all the threads of this process. No other process knows this address.
static COUNTED: AtomicU64 = AtomicU64::new(0);

pub fn increment() -> u64 {
    COUNTED.fetch_add(1, Relaxed) + 1
}

pub fn value() -> u64 {
    COUNTED.load(Relaxed)
}
