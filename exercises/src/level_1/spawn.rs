//! # Spawn workers
//!
//! One process becomes many. You write the four functions with which a primary starts workers: one
//! starts a single worker, one starts several at the same time, and two do the same for workers
//! that return an answer.
//!
//! What must hold:
//!
//! 1. The work is done in the worker, never in the primary.
//! 2. A worker never returns from your function: it exits inside it.
//! 3. Workers work at the same time.
//! 4. A pipe ends when its last write end is closed, and it holds 64 KiB. No process waits in vain.
//! 5. No descriptor is left open. After steps 3 and 4 no process is left either, not even a zombie.
//!
//! To read: `level-1-basics/guides/02-primary-and-workers.md` and `03-fork-exec-wait.md`. In a
//! second terminal: `cargo test -p exercises spawn`.

#![allow(unused_imports)] // what you will probably need is already here

use std::io::{self, PipeReader, Read, Write};
use std::process::exit;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

use crate::provided::fork;

/// Step 1. Forks a worker that does `work`, and returns its pid at once.
///
/// The worker exits with the code that `work` returns.
///
/// # Errors
/// There is no room for one more process.
pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    hole!("spawn::1", work)
}

/// Step 2. Forks `count` workers, numbered from 0, which work at the same time. Returns their pids
/// at once, in the order of their numbers.
///
/// Worker `n` does `work(n)`, and exits with the code that this returns.
///
/// # Errors
/// There is no room for `count` processes. Those that have already been forked keep running.
pub fn fork_workers(count: usize, work: impl Fn(usize) -> i32) -> io::Result<Vec<Pid>> {
    hole!("spawn::2", count, work)
}

/// Step 3. Forks a worker that does `work`, and returns its answer. When it returns, the worker has
/// been reaped, and the pipe between the two is closed.
///
/// An answer may have any length, even several megabytes.
///
/// # Errors
/// - The worker exited with a code other than 0, or a signal killed it: any bytes that have arrived
///   are not its answer.
/// - There is no room for one more process or for the pipe, or the answer is not UTF-8.
pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    hole!("spawn::3", work)
}

/// Step 4. Forks `count` workers, which work at the same time, and returns their answers in the
/// order of their numbers. When it returns, all of them are gone.
///
/// Worker `n` does `work(n)`. Each answer may have any length.
///
/// # Errors
/// The same as in step 3, for any of the workers. All the others are gone by then, too.
pub fn ask_workers(count: usize, work: impl Fn(usize) -> String) -> io::Result<Vec<String>> {
    hole!("spawn::4", count, work)
}
