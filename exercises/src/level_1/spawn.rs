//! # Spawn workers
//!
//! One process becomes many. You write the four functions with which a primary starts workers: one
//! that works by itself, many at the same time, and the same two for workers that have something
//! to answer.
//!
//! What must hold:
//!
//! 1. The work is done in the worker, never in the primary.
//! 2. A worker never returns from your function, but ends inside of it.
//! 3. Workers work at the same time.
//! 4. A pipe ends when its last write end is closed, and it holds 64 KiB. No process waits in vain.
//! 5. When your function has returned, no process and no descriptor of it is left, zombies included.
//!
//! To read: `level-1-basics/guides/02-primary-and-workers.md` and `03-fork-exec-wait.md`. In a
//! second terminal: `cargo test -p exercises spawn`.

#![allow(unused_imports)] // what you will probably need is here already

use std::io::{self, PipeReader, Read, Write};
use std::process::exit;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

use crate::provided::fork;

/// Step 1. Forks a worker that does `work`, and returns its pid at once.
///
/// The code that `work` returns is the code with which the worker exits.
///
/// # Errors
/// There is no room for one more process.
pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    hole!("spawn::1", work)
}

/// Step 2. Forks `count` workers, numbered from 0, which work at the same time. Returns their pids
/// in the order of their numbers, at once.
///
/// Worker `n` does `work(n)`, and exits with the code that the work returns.
///
/// # Errors
/// There is no room for `count` processes. Those that were forked before go on.
pub fn fork_workers(count: usize, work: impl Fn(usize) -> i32) -> io::Result<Vec<Pid>> {
    hole!("spawn::2", count, work)
}

/// Step 3. Forks a worker that does `work`, and returns its answer. By then the worker is reaped, and
/// the pipe between the two is closed.
///
/// An answer may be of any length, megabytes included.
///
/// # Errors
/// - The worker ended with a code other than 0, or by a signal: the bytes that have arrived, if any,
///   are not its answer.
/// - There is no room for one more process, or for the pipe; or the answer is not UTF-8.
pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    hole!("spawn::3", work)
}

/// Step 4. Forks `count` workers, which work at the same time, and returns their answers in the
/// order of their numbers. By then all of them are gone.
///
/// Worker `n` does `work(n)`. Each answer may be of any length.
///
/// # Errors
/// As in step 3, for any of the workers. All the others are gone by then, too.
pub fn ask_workers(count: usize, work: impl Fn(usize) -> String) -> io::Result<Vec<String>> {
    hole!("spawn::4", count, work)
}
