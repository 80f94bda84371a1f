//! The processes of a check, as `/proc` shows them. See `man 5 proc`.
//!
//! Any of them may end while it is being looked at, so every function here may find nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::libc;
use procfs::process::{FDTarget, Process, Syscall, all_processes};

use crate::wire::now;

/// The children of `pid`, zombies included.
#[must_use]
pub fn children(pid: i32) -> Vec<i32> {
    threads_children(pid).unwrap_or_else(|| {
        // A kernel without CONFIG_PROC_CHILDREN: look up the parent of every process.
        let stats = all_processes().into_iter().flatten().filter_map(|one| one.ok()?.stat().ok());
        stats.filter(|stat| stat.ppid == pid).map(|stat| stat.pid).collect()
    })
}

fn threads_children(pid: i32) -> Option<Vec<i32>> {
    let tasks = Process::new(pid).ok()?.tasks().ok()?.flatten();
    let mut children = Vec::new();
    for task in tasks {
        children
            .extend(task.children().ok()?.into_iter().filter_map(|pid| i32::try_from(pid).ok()));
    }
    Some(children)
}

/// The state letter of `pid`: `R` running, `S` sleeping, `T` stopped, `Z` zombie.
#[must_use]
pub fn state(pid: i32) -> Option<char> {
    Process::new(pid).ok()?.stat().ok().map(|stat| stat.state)
}

/// One process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Its parent.
    pub parent: i32,
    /// Its state letter.
    pub state: char,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
}

/// The descendants of `root`, but no more than `most` of them.
#[must_use]
pub fn descendants(root: i32, most: usize) -> BTreeMap<i32, Sight> {
    let mut found = BTreeMap::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            if found.len() < most
                && let Some(sight) = sight(child)
                && found.insert(child, sight).is_none()
            {
                parents.push(child);
            }
        }
    }
    found
}

fn sight(pid: i32) -> Option<Sight> {
    let stat = Process::new(pid).ok()?.stat().ok()?;
    let (parent, state) = (stat.ppid, stat.state);
    Some(Sight { parent, state, group: stat.pgrp, session: stat.session })
}

/// The number of times that the threads of `pid` have been taken off a core or have gone to sleep:
/// while this number stays the same, a process that is not running has done nothing.
#[must_use]
pub fn switches(pid: i32) -> u64 {
    let threads = Process::new(pid).and_then(|process| process.tasks()).into_iter().flatten();
    let each = threads.flatten().filter_map(|thread| {
        let status = thread.status().ok()?;
        Some(status.voluntary_ctxt_switches? + status.nonvoluntary_ctxt_switches?)
    });
    each.sum()
}

/// The number of threads of `pid`.
#[must_use]
pub fn threads(pid: i32) -> usize {
    Process::new(pid).and_then(|process| process.tasks()).map_or(0, Iterator::count)
}

/// The signals that `pid` blocks, and those that it ignores, as sets of bits.
#[must_use]
pub fn deaf_to(pid: i32) -> Option<(u64, u64)> {
    let status = Process::new(pid).ok()?.status().ok()?;
    Some((status.sigblk, status.sigign))
}

/// Notices when nothing is happening any more.
#[derive(Debug, Default)]
pub struct Stillness {
    /// The time for which nothing has happened, as far as this was observed.
    still: Duration,
    /// The time of the last look, and what it showed.
    looked: Duration,
    seen: BTreeMap<i32, u64>,
}

impl Stillness {
    /// The time between two close looks, and the longest time for which one look counts: if the
    /// machine was asleep for an hour, no process had a chance to do anything.
    const LOOK: Duration = Duration::from_millis(50);
    const MOST: Duration = Duration::from_millis(100);

    /// The time for which all `processes` have done nothing but sleep.
    pub fn of(&mut self, processes: &BTreeMap<i32, Sight>) -> Duration {
        let gap = now().saturating_sub(self.looked);
        let asleep = processes.values().all(|sight| matches!(sight.state, 'S' | 'T' | 'Z'));
        if asleep && gap < Self::LOOK {
            return self.still;
        }
        let seen = processes.keys().map(|pid| (*pid, switches(*pid))).collect();
        let nothing = asleep && seen == self.seen;
        self.still = if nothing { self.still + gap.min(Self::MOST) } else { Duration::ZERO };
        (self.looked, self.seen) = (now(), seen);
        self.still
    }
}

/// An open descriptor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Descriptor {
    /// Its number.
    pub number: i32,
    /// `pipe`, `socket`, `eventfd`, or a path.
    pub kind: String,
    /// The pipe or socket: the same number in two processes means the same object.
    pub inode: Option<u64>,
    /// True if it is open for writing.
    pub writes: bool,
}

/// The open descriptors of `pid`, without those that it opens to look at itself in `/proc`.
#[must_use]
pub fn descriptors(pid: i32) -> Vec<Descriptor> {
    let Ok(process) = Process::new(pid) else { return Vec::new() };
    let all = process.fd().into_iter().flatten().flatten();
    let mut found: Vec<Descriptor> = all
        .map(|info| {
            let (kind, inode) = kind(&info.target);
            Descriptor { number: info.fd, kind, inode, writes: info.mode & 0o200 != 0 }
        })
        .filter(|descriptor| !descriptor.kind.starts_with("/proc/"))
        .collect();
    found.sort();
    found
}

fn kind(target: &FDTarget) -> (String, Option<u64>) {
    match target {
        FDTarget::Path(path) => (path.display().to_string(), None),
        FDTarget::Socket(inode) => ("socket".to_owned(), Some(*inode)),
        FDTarget::Pipe(inode) => ("pipe".to_owned(), Some(*inode)),
        FDTarget::AnonInode(name) => (name.trim_matches(['[', ']']).to_owned(), None),
        FDTarget::Net(inode) => ("net".to_owned(), Some(*inode)),
        FDTarget::MemFD(name) => (format!("memfd {name}"), None),
        FDTarget::Other(name, inode) => (name.clone(), Some(*inode)),
        FDTarget::Unknown(name, _) => (name.clone(), None),
    }
}

/// The activity of a process that does not seem to be running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// It is running after all. A `waitpid` counts as asleep even while it only looks at the
    /// children, so a loop of such calls is seen in either state.
    Runs,
    /// It is sleeping in this system call, with this first argument.
    In(i64, u64),
    /// It cannot be seen: some systems hide it.
    Unseen,
}

/// The system call in which `pid` is sleeping, as far as this can be seen.
#[must_use]
pub fn sleeps_in(pid: i32) -> Sleep {
    match Process::new(pid).and_then(|process| process.syscall()) {
        Ok(Syscall::Running) => Sleep::Runs,
        Ok(Syscall::Blocked { syscall_number, argument_registers, .. }) => {
            Sleep::In(syscall_number, argument_registers[0])
        }
        _ => Sleep::Unseen,
    }
}

/// The name of a system call in which processes are often seen waiting.
#[must_use]
pub fn call_name(number: i64) -> Option<&'static str> {
    const NAMES: [(libc::c_long, &str); 18] = [
        (libc::SYS_wait4, "waitpid"),
        (libc::SYS_waitid, "waitid"),
        (libc::SYS_read, "read"),
        (libc::SYS_write, "write"),
        (libc::SYS_recvfrom, "recv"),
        (libc::SYS_sendto, "send"),
        (libc::SYS_recvmsg, "recvmsg"),
        (libc::SYS_accept4, "accept"),
        (libc::SYS_accept, "accept"),
        (libc::SYS_connect, "connect"),
        (libc::SYS_ppoll, "poll"),
        (libc::SYS_futex, "futex"),
        (libc::SYS_clock_nanosleep, "sleep"),
        (libc::SYS_nanosleep, "sleep"),
        (libc::SYS_rt_sigtimedwait, "sigwait"),
        (libc::SYS_epoll_pwait, "epoll_wait"),
        (libc::SYS_epoll_pwait2, "epoll_wait"),
        (libc::SYS_pselect6, "select"),
    ];
    #[cfg(target_arch = "x86_64")]
    const OLD: [(libc::c_long, &str); 4] = [
        (libc::SYS_poll, "poll"),
        (libc::SYS_select, "select"),
        (libc::SYS_pause, "pause"),
        (libc::SYS_epoll_wait, "epoll_wait"),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    const OLD: [(libc::c_long, &str); 0] = [];
    NAMES.iter().chain(&OLD).find(|(known, _)| *known == number).map(|(_, name)| *name)
}
