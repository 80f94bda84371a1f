//! Who holds a port: for the message that says that it is taken. A courtesy, no more: `/proc` shows
//! the descriptors of other users' processes only to root.

use std::fmt;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// A process that listens where we would like to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pid: u32,
    name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another process (pid {}, `{}`)", self.pid, self.name)
    }
}

/// The process that listens on `address`, or so that `address` cannot be had.
pub(super) fn of(address: SocketAddr) -> Option<Holder> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().find_map(|line| inode_of_conflict(line, address))
    })?;
    let link = PathBuf::from(format!("socket:[{inode}]"));
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| has_open(*pid, &link)).find_map(holder)
}

/// A line of `/proc/net/tcp`: number, local address and port in hexadecimal, remote, state; the
/// tenth field is the inode. See `proc_pid_net(5)`.
fn inode_of_conflict(line: &str, address: SocketAddr) -> Option<String> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (ip, port) = fields.get(1)?.split_once(':')?;
    let conflicts = *fields.get(3)? == LISTEN
        && u16::from_str_radix(port, 16) == Ok(address.port())
        && overlap(ip, address.ip());
    conflicts.then(|| fields.get(9).map(ToString::to_string)).flatten()
}

/// Whether both can be the destination of one packet; all zeros stands for every address.
fn overlap(theirs: &str, ours: IpAddr) -> bool {
    let word = |octets: &[u8]| {
        let octets = <[u8; 4]>::try_from(octets).expect("chunks of four have four");
        format!("{:08X}", u32::from_ne_bytes(octets))
    };
    let ours_in_hex: String = match ours {
        IpAddr::V4(ip) => word(&ip.octets()),
        IpAddr::V6(ip) => ip.octets().chunks(4).map(word).collect(),
    };
    ours.is_unspecified() || theirs == ours_in_hex || theirs.bytes().all(|digit| digit == b'0')
}

fn has_open(pid: u32, link: &Path) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.filter_map(Result::ok).any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == link))
}

fn holder(pid: u32) -> Option<Holder> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned();
    Some(Holder { pid, name })
}
