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
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        // Whatever `work` does, the child exits here. If it returned, there would be two primaries.
        ForkResult::Child => exit(work()),
    }
}

/// Step 2. Forks `count` workers, numbered from 0, which work at the same time. Returns their pids
/// at once, in the order of their numbers.
///
/// Worker `n` does `work(n)`, and exits with the code that this returns.
///
/// # Errors
/// There is no room for `count` processes. Those that have already been forked keep running.
pub fn fork_workers(count: usize, work: impl Fn(usize) -> i32) -> io::Result<Vec<Pid>> {
    // The child of each round exits inside `fork_worker`, so it never sees the next round.
    (0..count).map(|number| fork_worker(|| work(number))).collect()
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
    let (worker, reader) = fork_with_pipe(work)?;
    read_answer(worker, reader)
}

/// Step 4. Forks `count` workers, which work at the same time, and returns their answers in the
/// order of their numbers. When it returns, all of them are gone.
///
/// Worker `n` does `work(n)`. Each answer may have any length.
///
/// # Errors
/// The same as in step 3, for any of the workers. All the others are gone by then, too.
pub fn ask_workers(count: usize, work: impl Fn(usize) -> String) -> io::Result<Vec<String>> {
    // All workers are started before the first answer is read. Each pipe is made just before its
    // fork, and its write end is closed here just after the fork, so no worker has the write end of
    // another worker's pipe.
    let workers: Vec<(Pid, PipeReader)> =
        (0..count).map(|number| fork_with_pipe(|| work(number))).collect::<io::Result<_>>()?;
    // All answers are read, and all workers reaped, before the error of one of them is returned.
    let answers: Vec<io::Result<String>> =
        workers.into_iter().map(|(worker, reader)| read_answer(worker, reader)).collect();
    answers.into_iter().collect()
}

/// Forks a worker that writes what `work` returns into a pipe, and returns the worker's pid and the
/// read end.
fn fork_with_pipe(work: impl FnOnce() -> String) -> io::Result<(Pid, PipeReader)> {
    let (reader, mut writer) = io::pipe()?;
    let worker = fork_worker(|| match writer.write_all(work().as_bytes()) {
        Ok(()) => 0,
        Err(_) => 1, // the primary is no longer reading
    })?;
    // `writer` is dropped here, in the parent: from now on the worker has the only write end.
    Ok((worker, reader))
}

/// Reads the answer of `worker` to the end. The worker is reaped, whatever it has answered.
fn read_answer(worker: Pid, mut reader: PipeReader) -> io::Result<String> {
    let mut answer = String::new();
    // First read, then wait: a worker with a long answer cannot exit before the answer is read.
    let read = reader.read_to_string(&mut answer);
    drop(reader); // if the read failed: a worker that is still writing gets an error
    // No handler that could interrupt this wait is installed here; `reap` is about such waits.
    match waitpid(worker, None)? {
        WaitStatus::Exited(_, 0) => read.map(|_| answer),
        // The end of the stream looks the same after half an answer. The status does not.
        status => Err(io::Error::other(format!("the worker did not finish: {status:?}"))),
    }
}
