//! Threads and Tokio runtimes that fail with an error where Tokio panics.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Runtime};

use crate::{Error, Result};

/// Starts a runtime with this many threads; with one thread, everything runs on the thread that waits
/// for the runtime.
///
/// # Errors
/// Any error of the kernel. Tokio panics if it cannot get its six descriptors (a poller, its waker, a
/// pair for signals) or its threads, so this function first checks that there is room for them.
pub(crate) fn start(threads: usize) -> Result<Runtime> {
    let cannot = |error: io::Error| Error::because(hint("cannot start a runtime", &error), error);
    let descriptors = || Ok((UnixStream::pair()?, UnixStream::pair()?, UnixStream::pair()?));
    drop(descriptors().map_err(cannot)?);
    if threads > 1 {
        try_threads(threads).map_err(cannot)?;
        let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        return runtime.map_err(cannot);
    }
    Builder::new_current_thread().enable_all().build().map_err(cannot)
}

/// Starts a thread with a name.
///
/// # Errors
/// The kernel allows no more threads; the message says what to do.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(|error| {
        Error::because(hint(&format!("cannot start the thread `{name}`"), &error), error)
    })
}

/// The message of a failure, with advice if a limit is the reason.
pub(crate) fn hint(what: &str, error: &io::Error) -> String {
    use nix::libc::{EACCES, EAGAIN, EMFILE, ENFILE, ENOMEM, EPERM};
    let advice = match error.raw_os_error() {
        Some(EAGAIN) => {
            "the limit of processes and threads is reached; raise it (`ulimit -u`, TasksMax= of \
             systemd, the pids limit of a container), or stop other processes of this user"
        }
        Some(EMFILE) => "this process has too many open files; raise the limit (`ulimit -n`)",
        Some(ENFILE) => "the machine has too many open files; raise fs.file-max",
        Some(ENOMEM) => "there is not enough memory",
        Some(EPERM | EACCES) => {
            "a seccomp profile, a security module or a file system mounted noexec forbids it"
        }
        _ => return what.to_owned(),
    };
    format!("{what}: {advice}")
}

/// Starts this many threads at the same time, and lets them exit.
fn try_threads(threads: usize) -> io::Result<()> {
    let (keep, ended) = mpsc::channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    let start = |_| {
        let ended = Arc::clone(&ended);
        let wait = move || drop(ended.lock().map(|ended| ended.recv()));
        thread::Builder::new().spawn(wait)
    };
    let started = (0..threads).map(start).collect::<io::Result<Vec<_>>>();
    drop(keep); // all of them exit
    started.map(|threads| threads.into_iter().for_each(|thread| drop(thread.join())))
}
