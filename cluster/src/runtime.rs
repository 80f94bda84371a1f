//! Tokio runtimes that fail with an error where Tokio panics.

use std::io;
use std::os::unix::net::UnixStream;

use tokio::runtime::{Builder, Runtime};

/// A runtime with so many threads; with one, everything runs on the thread that waits for it.
///
/// # Errors
/// The kernel's. Tokio panics when it cannot have its six descriptors (a poller, what wakes it, a
/// pair for signals), so whether there is room for them is tried first.
pub(crate) fn start(threads: usize) -> io::Result<Runtime> {
    drop((UnixStream::pair()?, UnixStream::pair()?, UnixStream::pair()?));
    if threads > 1 {
        return Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    }
    Builder::new_current_thread().enable_all().build()
}
