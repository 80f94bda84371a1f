//! The provided code: the one call that would need `unsafe`. Nothing in this file is for you to edit.

use std::{fs, io};

use nix::unistd::ForkResult;

/// `fork(2)`: returns twice, once in each process.
///
/// ```text
/// match fork()? {
///     ForkResult::Parent { child } => …   // the process that called it; the other one is `child`
///     ForkResult::Child => …              // the new process, a copy of the one that called it
/// }
/// ```
///
/// # Errors
/// This process has more than one thread (only the calling thread would continue in the child, and a
/// lock held by another thread would stay locked there), or the kernel refuses.
#[allow(dead_code)] // until you call it
#[allow(unsafe_code)]
pub fn fork() -> io::Result<ForkResult> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("fork needs a process with one thread"));
    }
    // SAFETY: there is no other thread, so the child gets a consistent copy of everything.
    Ok(unsafe { nix::unistd::fork() }?)
}
