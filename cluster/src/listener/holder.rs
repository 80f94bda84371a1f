//! The holder of a port, for the message that the port is taken. Naming it is only a courtesy:
//! `/proc` shows the descriptors of other users' processes only to root.

use std::fmt;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process;

/// The holder of an address that we want to bind.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Another socket of this very program.
    Ourselves,
    /// Another process.
    Process { pid: u32, name: String },
    /// A process that `/proc` does not show us.
    Unknown,
}

/// Completes the sentence "cannot listen on ADDRESS: …".
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other = match self {
            Self::Ourselves => {
                return f.write_str(
                    "two addresses of this program overlap: another socket of its own has this \
                     one; compare CLUSTER_LISTEN, CLUSTER_API_PORT and the addresses that the \
                     program itself binds, and choose a different port for one of them",
                );
            }
            Self::Process { pid, name } => format!("another process (pid {pid}, `{name}`)"),
            Self::Unknown => "another process".to_owned(),
        };
        write!(
            f,
            "the address is in use by {other}; stop it, or choose another port with \
             CLUSTER_LISTEN (`ss -ltnp` shows which process listens where)"
        )
    }
}

/// The holder of `address`, or of an address that includes it or is included in it.
pub(super) fn of(address: SocketAddr) -> Holder {
    search(address).unwrap_or(Holder::Unknown)
}

fn search(address: SocketAddr) -> Option<Holder> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().find_map(|line| inode_of_conflict(line, address))
    })?;
    let link = PathBuf::from(format!("socket:[{inode}]"));
    // Our own process first: workers have copies of our sockets.
    if has_open(process::id(), &link) {
        return Some(Holder::Ourselves);
    }
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pid = pids.find(|pid| has_open(*pid, &link))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned();
    Some(Holder::Process { pid, name })
}

/// A line of `/proc/net/tcp`: number, local address and port in hexadecimal, remote, state; the
/// tenth field is the inode. See `proc_pid_net(5)`.
fn inode_of_conflict(line: &str, address: SocketAddr) -> Option<String> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (ip, port) = fields.get(1)?.split_once(':')?;
    let conflicts = *fields.get(3)? == LISTEN
        && u16::from_str_radix(port, 16) == Ok(address.port())
        && overlap(read_ip(ip)?, address.ip());
    conflicts.then(|| fields.get(9).map(ToString::to_string)).flatten()
}

/// One word for IPv4, four for IPv6, each in the byte order of this machine.
fn read_ip(hexadecimal: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hexadecimal.get(8 * at..8 * at + 8)?, 16).ok();
    let octets = |at| word(at).map(u32::to_ne_bytes);
    if hexadecimal.len() == 8 {
        return Some(octets(0)?.into());
    }
    let words = [octets(0)?, octets(1)?, octets(2)?, octets(3)?];
    <[u8; 16]>::try_from(words.as_flattened()).ok().map(IpAddr::from)
}

/// Checks whether both can be the destination of one packet. Another program's `[::]` may include the
/// IPv4 addresses, too; ours does not.
fn overlap(theirs: IpAddr, ours: IpAddr) -> bool {
    let (theirs, ours) = (theirs.to_canonical(), ours.to_canonical());
    let all = theirs.is_unspecified() && (theirs.is_ipv6() || ours.is_ipv4());
    let same_family = theirs.is_ipv6() == ours.is_ipv6();
    all || same_family && (theirs == ours || ours.is_unspecified())
}

fn has_open(pid: u32, link: &Path) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.filter_map(Result::ok).any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_proc_are_read() {
        let hexadecimal = |word: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(word));
        assert_eq!(read_ip(&hexadecimal([127, 0, 0, 1])), "127.0.0.1".parse().ok());
        let words = [[0; 4], [0; 4], [0; 4], [0, 0, 0, 1]].map(hexadecimal).concat();
        assert_eq!(read_ip(&words), "::1".parse().ok());
        assert_eq!((read_ip(""), read_ip("0100007F00"), read_ip("x")), (None, None, None));
    }

    #[test]
    fn a_wildcard_overlaps_with_each_address_of_its_family() {
        let overlap = |theirs: &str, ours: &str| {
            overlap(theirs.parse().expect("an address"), ours.parse().expect("an address"))
        };
        assert!(overlap("0.0.0.0", "127.0.0.1") && overlap("127.0.0.1", "0.0.0.0"));
        assert!(overlap("::", "::1") && overlap("::1", "::") && overlap("::1", "::1"));
        assert!(overlap("::", "127.0.0.1"), "theirs need not be IPv6 only");
        assert!(overlap("::ffff:127.0.0.1", "0.0.0.0"));
        assert!(!overlap("0.0.0.0", "::") && !overlap("127.0.0.1", "127.0.0.2"));
    }
}
