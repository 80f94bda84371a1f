//! The second way: memory that all workers on one machine share. The primary makes it (`memfd_create`),
//! every worker maps it (`mmap` with `MAP_SHARED`), and an atomic addition is atomic for all of them.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cluster::shared::Shared;
use tokio::task::yield_now;

/// One number for each way to count here.
pub const WORDS: NonZeroUsize = NonZeroUsize::new(2).expect("it is not zero");

pub struct Memory(pub Shared);

impl Memory {
    /// One step: the processor reads, adds and writes, and no other core comes in between.
    pub fn add(&self, way: &str) -> u64 {
        self.word(way).fetch_add(1, Relaxed) + 1
    }

    /// Two steps: each is atomic, and a write by another worker between them is lost.
    pub async fn load_and_store(&self, way: &str) -> u64 {
        let number = self.word(way).load(Relaxed);
        // A real handler would ask a database here. This one only lets other requests run, which is
        // enough: on two cores a gap of a nanosecond would be hit too rarely to be seen.
        yield_now().await;
        self.word(way).store(number + 1, Relaxed);
        number + 1
    }

    pub fn value(&self, way: &str) -> u64 {
        self.word(way).load(Relaxed)
    }

    fn word(&self, way: &str) -> &AtomicU64 {
        &self.0[usize::from(way == "load-store")]
    }
}
