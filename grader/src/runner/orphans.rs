//! The orphans of a warden that was killed: the runner adopts them, and kills them.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid};

use crate::warden::kill_with_group;
use crate::{Result, proc};

/// The longest time that it may take to kill all orphans of a warden.
const END: Duration = Duration::from_secs(10);

/// The running wardens. Every other child of this process is an orphan of one that was killed.
#[derive(Debug)]
pub struct Wardens(Mutex<BTreeSet<i32>>);

impl Wardens {
    /// No wardens yet. From now on, any descendant of this process that loses its parent becomes its
    /// child.
    ///
    /// # Errors
    /// Any error of the kernel.
    pub fn adopt_orphans() -> io::Result<Self> {
        prctl::set_child_subreaper(true)?;
        Ok(Self(Mutex::default()))
    }

    /// Starts a warden.
    ///
    /// # Errors
    /// Any error of the kernel.
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        // The lock is held across the start, so that the new warden is not taken for an orphan.
        let mut running = self.running();
        let warden = command.spawn()?;
        running.insert(warden.id().cast_signed());
        Ok(warden)
    }

    /// Reaps a warden that ends, and all processes that it has left behind. Returns how the warden
    /// ended.
    ///
    /// # Errors
    /// Any error of the kernel, or a process that cannot be killed.
    pub fn ended(&self, warden: &mut Child) -> Result<ExitStatus> {
        let status = warden.wait()?;
        self.running().remove(&warden.id().cast_signed());
        if status.success() {
            return Ok(status); // a warden that succeeds leaves nothing
        }
        let deadline = Instant::now() + END;
        loop {
            // Under the lock, so that a warden that is just being started is not taken for an
            // orphan.
            let running = self.running();
            let mut orphans = proc::children(getpid().as_raw());
            orphans.retain(|child| !running.contains(child));
            drop(running);
            if orphans.is_empty() {
                return Ok(status);
            }
            for orphan in orphans.into_iter().map(Pid::from_raw) {
                kill_with_group(orphan);
                let _ = waitpid(orphan, None); // its own children become ours next
            }
            if Instant::now() > deadline {
                return Err("there are processes that cannot be killed".into());
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
