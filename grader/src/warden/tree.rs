//! The processes below a warden: who they are, where they wait, and how to end them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getsid};

use crate::Result;
use crate::proc::{self, Sight};
use crate::wire::now;

/// The most descendants that a check may have at a time.
pub const CROWD: usize = 64;

/// How long the end of everybody may take.
const END: Duration = Duration::from_secs(10);

/// Everybody below this process, as of the last look.
#[derive(Debug, Default)]
pub struct Tree {
    processes: BTreeMap<i32, Sight>,
    /// When something happened last, and what there was to see then.
    still: Option<(Duration, BTreeMap<i32, u64>)>,
    looked_closely: Duration,
}

impl Tree {
    /// Looks who is there.
    pub fn look(&mut self) {
        self.processes = proc::descendants(getpid().as_raw(), CROWD + 1);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.processes.len()
    }

    /// Everybody, with what was seen of them.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Sight)> {
        self.processes.iter().map(|(pid, sight)| (*pid, sight))
    }

    /// Those that have not ended.
    #[must_use]
    pub fn running(&self) -> Vec<i32> {
        self.iter().filter(|(_, sight)| sight.state != 'Z').map(|(pid, _)| pid).collect()
    }

    /// For how long everybody has slept, and done nothing else. It is looked at every 50 ms.
    pub fn still_for(&mut self) -> Duration {
        let now = now();
        if now < self.looked_closely + Duration::from_millis(50) {
            return Duration::ZERO;
        }
        self.looked_closely = now;
        let asleep = self.iter().all(|(_, sight)| matches!(sight.state, 'S' | 'T' | 'Z'));
        let seen: BTreeMap<i32, u64> =
            self.processes.keys().map(|pid| (*pid, proc::switches(*pid))).collect();
        match &self.still {
            Some((since, before)) if asleep && *before == seen => now.saturating_sub(*since),
            _ => {
                self.still = Some((now, seen));
                Duration::ZERO
            }
        }
    }

    /// Where everybody waits, one sentence for each, as far as the system lets it be seen.
    #[must_use]
    pub fn waits(&self) -> Vec<String> {
        self.processes.keys().map(|pid| self.wait_of(*pid)).collect()
    }

    fn wait_of(&self, pid: i32) -> String {
        match self.processes[&pid].state {
            'Z' => return format!("{pid} has ended, and nobody has reaped it"),
            'T' => return format!("{pid} is stopped"),
            'R' => return format!("{pid} runs, and does not stop"),
            _ => {}
        }
        let Some((number, argument)) = proc::sleeps_in(pid) else {
            return format!("{pid} sleeps");
        };
        match proc::call_name(number) {
            Some("waitpid" | "waitid") => {
                #[allow(clippy::cast_possible_truncation)] // a pid_t in a register
                match argument as i32 {
                    child if child > 0 && number == nix::libc::SYS_wait4 => {
                        format!("{pid} waits in waitpid for {child}")
                    }
                    _ => format!("{pid} waits in waitpid for any child"),
                }
            }
            Some(call @ ("read" | "write" | "recv" | "send" | "recvmsg" | "accept")) => {
                let number = i32::try_from(argument).unwrap_or(-1);
                format!("{pid} waits in {call} on descriptor {number}{}", self.peers(pid, number))
            }
            Some(call) => format!("{pid} waits in {call}"),
            None => format!("{pid} waits in system call {number}"),
        }
    }

    /// What descriptor `number` of `pid` is, and who has the other end of it.
    fn peers(&self, pid: i32, number: i32) -> String {
        let all = proc::descriptors(pid);
        let Some(mine) = all.iter().find(|one| one.number == number) else { return String::new() };
        match mine.kind.as_str() {
            "pipe" => {}
            "eventfd" => return ", the grader's gate".to_owned(),
            kind => return format!(", a {kind}"),
        }
        let holders: Vec<String> = self
            .processes
            .keys()
            .filter(|other| {
                let theirs = proc::descriptors(**other);
                theirs.iter().any(|one| one.inode == mine.inode && one.writes != mine.writes)
            })
            .map(ToString::to_string)
            .collect();
        let end = if mine.writes { "read" } else { "write" };
        match holders[..] {
            [] => ", a pipe".to_owned(),
            _ => format!(", a pipe whose {end} end is open in {}", holders.join(" and ")),
        }
    }

    /// Ends everybody, and reaps them.
    ///
    /// A signal to a group reaches all of it at once: not even a process that forks without end can
    /// get away from it. Groups are only ours if their session is not the one of the warden.
    ///
    /// # Errors
    /// Somebody could not be ended.
    pub fn end_all(&mut self) -> Result<()> {
        let mine = getsid(None)?.as_raw();
        let deadline = now() + END;
        while !self.processes.is_empty() {
            let ours = self.processes.values().filter(|sight| sight.session != mine);
            let groups: BTreeSet<i32> = ours.map(|sight| sight.group).collect();
            for group in groups {
                let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
            }
            for pid in self.processes.keys() {
                let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL); // not reaped: still its own pid
            }
            reap()?;
            self.look();
            if now() > deadline {
                return Err(format!("{} processes cannot be ended", self.len()).into());
            }
        }
        Ok(())
    }
}

/// Reaps everybody who has ended and is a child of this process.
///
/// # Errors
/// The kernel's.
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
