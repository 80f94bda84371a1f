//! The block in the address space of this process.

use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU64;

use nix::libc::c_void;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::{Error, Result};

/// A mapping of the block, until it is dropped.
pub(super) struct Mapping {
    start: NonNull<c_void>,
    size: NonZeroUsize,
}

// SAFETY: it is memory of the whole process, and bound to no thread.
#[allow(unsafe_code)]
unsafe impl Send for Mapping {}

// SAFETY: all that it gives out are atomics.
#[allow(unsafe_code)]
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `size` bytes, the size of `memory`, which never changes.
    #[allow(unsafe_code)]
    pub(super) fn new(memory: &OwnedFd, size: NonZeroUsize) -> Result<Self> {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel picks an address that is free.
        let start = unsafe { mmap(None, size, access, MapFlags::MAP_SHARED, memory, 0) };
        let start = start.map_err(|errno| Error::because("cannot map shared memory", errno))?;
        Ok(Self { start, size })
    }

    #[allow(unsafe_code)]
    pub(super) fn words(&self) -> &[AtomicU64] {
        let words = self.size.get() / size_of::<AtomicU64>();
        // SAFETY: the mapping begins at a page, so it is aligned; it has this many words, zeros at
        // first, and cannot lose them, because its size is sealed; it lives as long as `self`; other
        // processes change it only by atomic operations, as we do.
        unsafe { slice::from_raw_parts(self.start.cast().as_ptr(), words) }
    }
}

impl Drop for Mapping {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: it was mapped with this size, and no slice outlives `self`.
        let _ = unsafe { munmap(self.start, self.size.get()) };
    }
}
