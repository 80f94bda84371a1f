//! # Supervise workers
//!
//! A supervisor keeps its workers alive: it replaces those that die, up to a limit, but not those that
//! were asked to stop. You write its rule, and then the code that applies the rule to real processes.
//!
//! What must hold:
//!
//! 1. An exit that was not requested is a crash, even with code 0.
//! 2. A worker that was asked to stop is not replaced, however it ends.
//! 3. A program that cannot start is not restarted forever.
//! 4. The report of a worker counts, even if the worker has died since.
//! 5. All workers that have ended are reaped, and the others are not waited for.
//!
//! To read: `level-1-basics/guides/06-life-of-a-worker.md`. In a second terminal:
//! `cargo test -p exercises supervise`.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::process::exit;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getpid};

use crate::provided::fork;

/// The facts that are known about a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// It has reported that it is ready.
    pub was_ready: bool,
    /// It was asked to stop; the supervisor records this before it sends the signal.
    pub asked_to_stop: bool,
}

/// The action to take after a worker has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Start another one in its place.
    Replace,
    /// It was meant to end.
    Leave,
    /// Too many have died before they were ready.
    GiveUp,
}

/// Step 1. The rule: what to do after a worker with this `life` has ended.
///
/// `early_deaths` is the number of workers in a row that have died before they were ready, this one
/// included. The supervisor gives up when this number reaches `limit`.
#[must_use]
pub fn decide(life: Life, early_deaths: u32, limit: u32) -> Next {
    match life {
        Life { asked_to_stop: true, .. } => Next::Leave,
        Life { was_ready: false, .. } if early_deaths >= limit => Next::GiveUp,
        _ => Next::Replace,
    }
}

/// A primary that looks after workers that all do the same `work`.
#[derive(Debug)]
pub struct Supervisor<W> {
    /// The work of a worker. The worker reports through [`Ready`] that it is ready, and exits with
    /// the code that the work returns.
    work: W,
    /// The number of early deaths in a row at which the supervisor gives up.
    limit: u32,
    /// The workers that have not been reaped yet.
    pub workers: BTreeMap<Pid, Life>,
    /// The number of workers in a row that have died before they were ready.
    pub early_deaths: u32,
    /// A pipe for all workers: a worker that is ready writes its pid into it.
    words: (PipeReader, PipeWriter),
}

/// A worker's way to report that it is ready.
#[derive(Debug)]
pub struct Ready(PipeWriter);

impl Ready {
    /// Provided. Reports that this worker is ready.
    pub fn tell(mut self) {
        // If this fails, there is no primary left to read it.
        let _ = self.0.write_all(&getpid().as_raw().to_ne_bytes());
    }
}

impl<W: Fn(Ready) -> i32> Supervisor<W> {
    /// Provided. Creates a supervisor without workers.
    ///
    /// # Errors
    /// There is no room for the pipe.
    pub fn new(limit: u32, work: W) -> io::Result<Self> {
        let words = io::pipe()?;
        Ok(Self { work, limit, workers: BTreeMap::new(), early_deaths: 0, words })
    }

    /// Provided. Records which workers have reported that they are ready. Does not wait.
    ///
    /// # Errors
    /// Any error of the kernel.
    pub fn read_reports(&mut self) -> io::Result<()> {
        while self.has_word()? {
            let mut pid = [0; 4];
            self.words.0.read_exact(&mut pid)?;
            let life = self.workers.get_mut(&Pid::from_raw(i32::from_ne_bytes(pid)));
            if let Some(life) = life {
                life.was_ready = true;
            }
        }
        Ok(())
    }

    /// Provided. Returns whether there is a report that has not been read yet.
    fn has_word(&self) -> io::Result<bool> {
        let mut reader = [PollFd::new(self.words.0.as_fd(), PollFlags::POLLIN)];
        loop {
            match poll(&mut reader, PollTimeout::ZERO) {
                Err(Errno::EINTR) => {}
                ready => return Ok(ready? > 0),
            }
        }
    }

    /// Step 2. Forks one worker, puts it on the list, and returns its pid at once.
    ///
    /// The worker does the `work` with a [`Ready`] of its own (a clone of the pipe's write end), and
    /// exits with the code that the work returns.
    ///
    /// # Errors
    /// There is no room for one more process.
    pub fn start(&mut self) -> io::Result<Pid> {
        let ready = Ready(self.words.1.try_clone()?);
        match fork()? {
            ForkResult::Child => exit((self.work)(ready)),
            ForkResult::Parent { child } => {
                self.workers.insert(child, Life::default());
                Ok(child)
            }
        }
    }

    /// Step 3. Reaps all workers that have ended, takes them off the list, and applies the rule to
    /// each: only [`Next::Replace`] starts a new one. Returns which workers ended and what was
    /// decided. Does not wait.
    ///
    /// It reads the reports after reaping and before judging: a worker may report and die while
    /// this function is running, and a worker that has been reaped has reported all that it ever
    /// will. `early_deaths` goes back to 0 for each worker that was ready, and up by one for each
    /// that was not. Those that were asked to stop do not count.
    ///
    /// # Errors
    /// Any error of the kernel.
    pub fn tend(&mut self) -> io::Result<Vec<(Pid, Next)>> {
        // First reap, then read the reports: a worker that is already dead sends no more of them.
        let mut ended = Vec::new();
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                Ok(status) => ended.extend(status.pid()),
                Err(error) => return Err(error.into()),
            }
        }
        self.read_reports()?;
        let mut decided = Vec::new();
        for pid in ended {
            let Some(life) = self.workers.remove(&pid) else { continue }; // a child, but not a worker
            if !life.asked_to_stop {
                self.early_deaths = if life.was_ready { 0 } else { self.early_deaths + 1 };
            }
            decided.push((pid, decide(life, self.early_deaths, self.limit)));
        }
        // Only now, with all judged and off the list: a fork may fail and end this function.
        for _ in decided.iter().filter(|(_, next)| *next == Next::Replace) {
            self.start()?;
        }
        Ok(decided)
    }

    /// Step 4. Asks `worker` to stop: records the intent, then sends SIGTERM. Does not wait.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]: `worker` is not on the list. In that case no signal is sent:
    /// the pid may already belong to another process.
    pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
        let life = self.workers.get_mut(&worker).ok_or(io::ErrorKind::NotFound)?;
        life.asked_to_stop = true;
        // It is on the list, so it has not been reaped, and its pid is still its own, even as a zombie.
        kill(worker, Signal::SIGTERM)?;
        Ok(())
    }

    /// Step 5. Stops all workers: asks each of them to stop, and returns when all are reaped. None is
    /// replaced, and the list is empty. (All of them stop when asked, so no deadline is needed here.)
    ///
    /// # Errors
    /// Any error of the kernel.
    pub fn stop(&mut self) -> io::Result<()> {
        let workers: Vec<Pid> = self.workers.keys().copied().collect();
        for worker in &workers {
            self.retire(*worker)?; // all of them first, so that they stop at the same time
        }
        for worker in workers {
            while waitpid(worker, None) == Err(Errno::EINTR) {}
            self.workers.remove(&worker);
        }
        Ok(())
    }
}
