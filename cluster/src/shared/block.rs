//! The memory itself: a file without a name, whose size never changes.

use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::libc::off_t;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;

use super::MAX_WORDS;
use crate::{Error, Result};

/// Bytes of one word.
const WORD: usize = size_of::<u64>();

/// Its name in `/proc/PID/maps`.
const NAME: &str = "cluster-shared";

/// Creates a block of `words` zeros, with all of its memory: a shortage is an error here rather than
/// a SIGBUS in some worker later.
pub(super) fn create(words: NonZeroUsize) -> Result<OwnedFd> {
    let words = words.get();
    if words > MAX_WORDS {
        return Err(Error::new(format!(
            "{words} words of shared memory are too many: at most {MAX_WORDS}"
        )));
    }
    let cannot = |errno: Errno| {
        let bytes = words * WORD;
        Error::because(format!("cannot create shared memory of {bytes} bytes"), errno)
    };
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let memory = memfd_create(NAME, flags).map_err(cannot)?;
    let size = off_t::try_from(words * WORD).expect("it is below the limit");
    fallocate(&memory, FallocateFlags::empty(), 0, size).map_err(cannot)?;
    fcntl(&memory, FcntlArg::F_ADD_SEALS(seals() | SealFlag::F_SEAL_SEAL)).map_err(cannot)?;
    Ok(memory)
}

/// The real size of a block, in bytes; the block can neither shrink nor grow.
pub(super) fn sealed_size(memory: &OwnedFd) -> Result<NonZeroUsize> {
    let no_block = |why: &str| Error::new(format!("the shared memory cannot be used: {why}"));
    let sealed = fcntl(memory, FcntlArg::F_GET_SEALS).map_err(|_| no_block("not a memory file"))?;
    if !SealFlag::from_bits_retain(sealed).contains(seals()) {
        return Err(no_block("its size may change"));
    }
    let size = usize::try_from(fstat(memory)?.st_size).unwrap_or_default();
    NonZeroUsize::new(size)
        .filter(|size| size.get().is_multiple_of(WORD))
        .ok_or_else(|| no_block("not a whole number of words"))
}

fn seals() -> SealFlag {
    SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW
}
