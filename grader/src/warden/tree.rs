//! The processes below a warden: what they are, and how to kill them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid, getpid, getsid};

use crate::Result;
use crate::proc::{self, Sight, Stillness};
use crate::wire::now;

/// The largest number of descendants that a check may have at the same time.
pub const CROWD: usize = 64;

/// The same, zombies included.
const DEAD_CROWD: usize = 1000;

/// The longest time that it may take to kill all processes.
const END: Duration = Duration::from_secs(10);

/// All processes below this one, as of the last look.
#[derive(Debug, Default)]
pub struct Tree {
    processes: BTreeMap<i32, Sight>,
    stillness: Stillness,
}

impl Tree {
    /// Looks at the processes that exist now.
    pub fn look(&mut self) {
        self.processes = proc::descendants(getpid().as_raw(), DEAD_CROWD);
    }

    /// Returns true if there are more than any exercise needs.
    #[must_use]
    pub fn is_crowd(&self) -> bool {
        self.running().len() > CROWD || self.processes.len() >= DEAD_CROWD
    }

    /// All processes, with what was seen of them.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Sight)> {
        self.processes.iter().map(|(pid, sight)| (*pid, sight))
    }

    /// Those that have not ended.
    #[must_use]
    pub fn running(&self) -> Vec<i32> {
        self.iter().filter(|(_, sight)| sight.state != 'Z').map(|(pid, _)| pid).collect()
    }

    /// The time for which all processes have done nothing but sleep.
    pub fn still_for(&mut self) -> Duration {
        self.stillness.of(&self.processes)
    }

    /// Kills all processes, and reaps them.
    ///
    /// A signal to a group reaches all of it at once: not even a process that never stops forking
    /// can escape. A group is ours only if its session is not the warden's. A process that has left
    /// its group loses its parent sooner or later, becomes a child of the warden, and is killed as
    /// such: that takes so little time that there is no need to search for other processes.
    ///
    /// # Errors
    /// A process could not be killed.
    pub fn end_all(&mut self) -> Result<()> {
        let (me, mine) = (getpid().as_raw(), getsid(None)?.as_raw());
        let ours = self.processes.values().filter(|sight| sight.session != mine);
        for group in ours.map(|sight| sight.group).collect::<BTreeSet<i32>>() {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let deadline = now() + END;
        loop {
            let children = proc::children(me);
            if children.is_empty() {
                return Ok(());
            }
            for child in children.into_iter().map(Pid::from_raw) {
                kill_with_group(child);
            }
            reap()?;
            if now() > deadline {
                return Err("there are processes that cannot be killed".into());
            }
        }
    }
}

/// Kills a child of this process, and its whole group, unless the group is in the session of this
/// process.
pub fn kill_with_group(child: Pid) {
    let is_elsewhere = getsid(Some(child)).is_ok_and(|session| getsid(None) != Ok(session));
    if is_elsewhere && let Ok(group) = getpgid(Some(child)) {
        let _ = killpg(group, Signal::SIGKILL);
    }
    let _ = kill(child, Signal::SIGKILL); // not reaped: the pid is still its own
}

/// Reaps all children of this process that have ended.
///
/// # Errors
/// Any error of the kernel.
pub fn reap() -> io::Result<Vec<WaitStatus>> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(ended),
            Ok(status) => ended.push(status),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
