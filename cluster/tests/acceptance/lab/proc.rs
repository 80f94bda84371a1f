//! Facts from `/proc`.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Sends a signal to a process that exists.
pub fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).expect("it is a pid")), signal).expect("it exists");
}

/// Returns true if a process exists, zombies included.
pub fn exists(pid: u32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap_or(false)
}

/// The state letter of a process: R, S, Z…
pub fn state(pid: u32) -> Option<char> {
    stat(pid)?.first()?.chars().next()
}

/// Returns true if it is no longer running. A zombie whose parent is PID 1 counts as gone.
pub fn gone(pid: u32) -> bool {
    match stat(pid) {
        None => true,
        Some(fields) => fields[0] == "Z" && fields[1] == "1",
    }
}

/// The process group, to which a terminal sends Ctrl-C.
pub fn group(pid: u32) -> u32 {
    stat(pid).expect("it exists")[2].parse().expect("it is a pid")
}

/// The number of connections in the kernel's queues of this TCP address that are established and not
/// yet accepted. For a listening socket that is `rx_queue` of `/proc/net/tcp`.
pub fn queued(address: &str) -> usize {
    let address: std::net::SocketAddr = address.parse().expect("it is a TCP address");
    let port = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").expect("it exists");
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = lines.filter(|fields| fields[1].ends_with(&port) && fields[3] == "0A");
    let length = |fields: Vec<&str>| usize::from_str_radix(fields[4].split_once(':')?.1, 16).ok();
    ours.map(|fields| length(fields).expect("it is a number")).sum()
}

/// Living children and zombies of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = pid.to_string();
    pids.filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent)).collect()
}

/// The open descriptors of a process, each with its target.
pub fn descriptors(pid: u32) -> BTreeMap<u32, String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process exists");
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let entries = entries.flatten().filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        Some((number(&entry)?, target.display().to_string()))
    });
    entries.collect()
}

pub fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Resident memory in bytes.
pub fn resident(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}

/// The fields of `/proc/PID/stat` from the state on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// The processor time that a process has used, in hundredths of a second.
pub fn cpu_ticks(pid: u32) -> u64 {
    let fields = stat(pid).expect("it exists");
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}
