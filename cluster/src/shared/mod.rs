//! Numbers that all workers share: a block of 64-bit atomics in memory that is mapped into every
//! process of the cluster.
//!
//! ```no_run
//! use std::num::NonZeroUsize;
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! use cluster::{Cluster, Config, Worker};
//!
//! fn main() -> cluster::Result<()> {
//!     let words = NonZeroUsize::MIN; // one counter
//!     Cluster::new(Config::from_env()?).shared(words).run(async |worker: Worker| {
//!         let counters = worker.shared()?;
//!         counters[0].fetch_add(1, Relaxed); // counted by all workers together
//!         std::future::pending::<cluster::Result<()>>().await
//!     })
//! }
//! ```
//!
//! The primary creates the block, filled with zeros, and holds it for as long as it lives: the
//! numbers outlast a worker that crashes, one that is killed, and every reload. They are gone when
//! the primary exits, and nothing is left behind: the block has no name in any file system.
//!
//! The primary's first program decides its size. A version that a reload brings gets the same block
//! with the same numbers, whatever size it requests itself, so a new version may give a new meaning
//! only to words that were zero until then. More words need a restart.
//!
//! # What may live there
//!
//! Whole numbers, each changed by one atomic operation. No pointer, and nothing that has one inside
//! (`Vec`, `String`, `Box`): the block has a different address in every process. No lock: its holder
//! may be killed, and the lock would never be released. Two words that belong together can be seen
//! half changed, and stay that way if a worker is killed between the two changes.
//!
//! # Platform
//!
//! Linux: `memfd_create`, sealed against any change of its size (see `man 2 fcntl`, `F_SEAL_SHRINK`);
//! reading a part that was cut off would cause a SIGBUS.

mod block;
mod mapping;

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::{Error, Result};
use mapping::Mapping;

/// The largest block, in words of 64 bits: 1 GiB. Its memory is reserved at once.
pub const MAX_WORDS: usize = 1 << 27;

/// The block, as a slice of atomics. It stays mapped as long as one clone exists; clones are cheap,
/// and share the same numbers.
#[derive(Clone)]
pub struct Shared(Arc<Mapping>);

/// The primary's side: the memory, and the descriptor from which workers map it as well.
#[derive(Debug)]
pub(crate) struct Block {
    memory: OwnedFd,
    mapped: Shared,
}

impl Block {
    /// A block of `words` zeros.
    pub(crate) fn new(words: NonZeroUsize) -> Result<Self> {
        let memory = block::create(words)?;
        let mapped = Shared::map(&memory)?;
        Ok(Self { memory, mapped })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.mapped
    }
}

impl AsFd for Block {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

impl Shared {
    /// The block behind a descriptor, which is no longer needed afterwards.
    pub(crate) fn map(memory: &OwnedFd) -> Result<Self> {
        let size = block::sealed_size(memory)?;
        Mapping::new(memory, size).map(|mapping| Self(Arc::new(mapping)))
    }
}

/// The error for a caller that asks for a block that does not exist.
pub(crate) fn none() -> Error {
    Error::new(
        "this cluster has no shared memory: the primary creates it at its start if the program calls \
         Cluster::shared, and a reload does not; restart the cluster",
    )
}

impl Deref for Shared {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        self.0.words()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("words", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests;
