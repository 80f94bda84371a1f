//! Facts about processes, from `/proc`. See `man 5 proc`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use procfs::process::{FDTarget, Process, all_processes};

use crate::Result;

/// The children of `pid`, sorted, including zombies.
///
/// # Errors
/// `/proc` cannot be read.
pub fn children(pid: i32) -> Result<Vec<i32>> {
    let mut found: Vec<i32> = all_processes()?
        .filter_map(|process| process.ok()?.stat().ok()) // a process may end while we look
        .filter(|stat| stat.ppid == pid)
        .map(|stat| stat.pid)
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// The state letter of `pid`: `R` running, `S` sleeping, `T` stopped, `Z` zombie; `None` if
/// there is no such process.
#[must_use]
pub fn state(pid: i32) -> Option<char> {
    Process::new(pid).ok()?.stat().ok().map(|stat| stat.state)
}

/// The start of `pid`, in clock ticks since the machine was started: together with the pid it
/// identifies one process forever.
#[must_use]
pub fn born(pid: i32) -> Option<u64> {
    Process::new(pid).ok()?.stat().ok().map(|stat| stat.starttime)
}

/// The name of `pid`: the first 15 bytes of its program's name, unless it has chosen a different one.
#[must_use]
pub fn name(pid: i32) -> Option<String> {
    Process::new(pid).ok()?.stat().ok().map(|stat| stat.comm)
}

/// Returns whether `pid` is no longer running. A zombie is not: it is a note for its parent to read.
#[must_use]
pub fn gone(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}

/// The children of `pid` that have ended and that it has not reaped.
///
/// # Errors
/// `/proc` cannot be read.
pub fn zombies(pid: i32) -> Result<Vec<i32>> {
    Ok(children(pid)?.into_iter().filter(|child| state(*child) == Some('Z')).collect())
}

/// The open descriptors of `pid`: number and kind, such as `socket`, `pipe`, `signalfd`,
/// `eventpoll`, or a path. Those that a process opens to look at itself in `/proc` are left out.
///
/// # Errors
/// The process has ended, or belongs to another user.
pub fn descriptors(pid: i32) -> Result<Vec<(i32, String)>> {
    let mut found: Vec<(i32, String)> = Process::new(pid)?
        .fd()?
        .filter_map(std::result::Result::ok)
        .map(|info| (info.fd, kind(&info.target)))
        .filter(|(_, kind)| !kind.starts_with("/proc/"))
        .collect();
    found.sort_unstable();
    Ok(found)
}

fn kind(target: &FDTarget) -> String {
    match target {
        FDTarget::Path(path) => path.display().to_string(),
        FDTarget::Socket(_) => "socket".to_owned(),
        FDTarget::Pipe(_) => "pipe".to_owned(),
        FDTarget::AnonInode(name) => name.trim_matches(['[', ']']).to_owned(),
        FDTarget::Net(_) => "net".to_owned(),
        FDTarget::MemFD(name) => format!("memfd {name}"),
        FDTarget::Other(name, _) | FDTarget::Unknown(name, _) => name.clone(),
    }
}

/// The memory of `pid` in bytes, counted fairly (PSS): a page shared by four processes counts as
/// a quarter for each of them. RSS counts it whole for all four.
///
/// # Errors
/// The process has ended, or belongs to another user.
///
/// # Platform
/// Linux 4.14 or later: `/proc/PID/smaps_rollup`.
pub fn pss(pid: i32) -> Result<u64> {
    memory(pid, "Pss")
}

/// The resident memory of `pid` in bytes (RSS), shared pages counted whole.
///
/// # Errors
/// The process has ended, or belongs to another user.
pub fn rss(pid: i32) -> Result<u64> {
    memory(pid, "Rss")
}

/// The CPU time of all threads of these processes that run now, in nanoseconds: from `schedstat`. The
/// times in `stat` are in hundredths of a second, and an idle process uses less than one of them.
///
/// # Errors
/// A process has ended.
///
/// # Platform
/// Linux with `CONFIG_SCHED_INFO`: `/proc/PID/task/TID/schedstat`.
pub fn cpu(pids: &[i32]) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for pid in pids {
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let line = fs::read_to_string(thread?.path().join("schedstat"))?;
            let ran = line.split(' ').next().and_then(|ran| ran.parse().ok());
            total += Duration::from_nanos(ran.ok_or("no times in schedstat")?);
        }
    }
    Ok(total)
}

fn memory(pid: i32, field: &str) -> Result<u64> {
    let rollup = Process::new(pid)?.smaps_rollup()?;
    let bytes =
        rollup.memory_map_rollup.iter().filter_map(|map| map.extension.map.get(field)).sum();
    Ok(bytes)
}

/// The program that `pid` is running.
///
/// # Errors
/// The process has ended.
pub fn program(pid: i32) -> Result<PathBuf> {
    Ok(Process::new(pid)?.exe()?)
}
