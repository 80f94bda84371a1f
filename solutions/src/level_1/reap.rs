//! # Reap workers, and report how they ended
//!
//! A process that forks must reap. You write the four functions with which a primary learns how its
//! workers ended. They decode a status, or reap one worker, all that have ended, or all by a deadline.
//!
//! What must hold:
//!
//! 1. A status says *code* or *signal*, never both.
//! 2. A wait for one worker leaves the others alone.
//! 3. A wait that is interrupted by a signal (EINTR) is resumed.
//! 4. Every worker is reaped exactly once, and no zombie is left.
//! 5. A worker that still has time is not killed, and one that has run out of time is not waited for.
//!
//! To read: `level-1-basics/guides/03-fork-exec-wait.md` and `06-life-of-a-worker.md`. In a second
//! terminal: `cargo test -p exercises reap`.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// The way in which a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited, with this code.
    Code(i32),
    /// This signal killed it.
    Signal(Signal),
}

/// Step 1. Returns how the worker with this `status` ended, or `None` if it has not ended (it was
/// stopped or continued, or is still running).
#[must_use]
pub fn decode(status: WaitStatus) -> Option<Ending> {
    match status {
        WaitStatus::Exited(_, code) => Some(Ending::Code(code)),
        WaitStatus::Signaled(_, signal, _core_dumped) => Some(Ending::Signal(signal)),
        // SIGSTOP is a signal, but it does not end a process.
        _ => None,
    }
}

/// Step 2. Waits until `worker` has ended, reaps it, and returns how it ended. Other workers are
/// left alone, even those that have already ended.
///
/// # Errors
/// `worker` is not a child of this process. An interrupted wait is not an error.
pub fn wait_for(worker: Pid) -> io::Result<Ending> {
    loop {
        match waitpid(worker, None) {
            Err(Errno::EINTR) => {} // a handler has run, and the worker is still running: wait again
            Err(error) => return Err(error.into()),
            Ok(status) => {
                if let Some(ending) = decode(status) {
                    return Ok(ending);
                }
            }
        }
    }
}

/// Step 3. Reaps all workers that have ended, without waiting for any. Having no workers at all is
/// not an error.
///
/// # Errors
/// Any error of the kernel.
pub fn reap_ended() -> io::Result<Vec<(Pid, Ending)>> {
    let mut ended = Vec::new();
    loop {
        // One SIGCHLD may stand for many deaths, so the kernel decides when to stop.
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(ended),
            Ok(status) => {
                ended.extend(status.pid().zip(decode(status)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Step 4. Stops all `workers`: sends SIGTERM to each, waits up to `grace` for all of them
/// together, then sends SIGKILL to those that are left. Returns when all are reaped, and reports
/// how each one ended, in any order. `workers` contains all children of this process.
///
/// # Errors
/// Any error of the kernel.
pub fn stop(workers: &[Pid], grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    let deadline = Instant::now() + grace; // one for all: they stop at the same time
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
    }
    let mut ended = Vec::new();
    while ended.len() < workers.len() {
        ended.extend(reap_ended()?);
        if Instant::now() >= deadline {
            break;
        }
        // A primary would poll a signalfd here; a millisecond is short enough for an exercise.
        sleep(Duration::from_millis(1));
    }
    for worker in workers {
        let is_left = ended.iter().all(|(pid, _)| pid != worker);
        if is_left {
            // Not reaped, so its pid is still its own. SIGKILL cannot be refused: the wait is short.
            kill(*worker, Signal::SIGKILL)?;
            ended.push((*worker, wait_for(*worker)?));
        }
    }
    Ok(ended)
}
