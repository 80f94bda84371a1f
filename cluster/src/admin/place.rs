//! The default place of the Unix socket.
//!
//! The place is a convenience, and never decides whether the service runs. A folder whose name is too
//! long for a socket's address is skipped. A name that another process uses is skipped too: two
//! containers may share a folder, and each has a pid 1.

use std::env;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::unistd::geteuid;

use super::socket::{PATIENCE, is_in_use};
use crate::config::LONGEST_PATH;
use crate::listener::lock;

/// The number of names that are tried in a folder.
const NAMES: u32 = 4;

/// The state of this process's own socket at a default place, as far as it is known.
#[derive(Debug)]
pub(super) enum Known {
    /// The socket has not been bound yet.
    NotYet,
    /// The socket has this address.
    At(String),
    /// There is no socket: the cluster is running without one.
    Nowhere,
}

static KNOWN: Mutex<Known> = Mutex::new(Known::NotYet);

/// Stores the new state.
pub(super) fn remember(known: Known) {
    *known_so_far() = known;
}

/// The address of the socket, now or later; `None` if the cluster has to run without one.
pub(super) fn address() -> Option<String> {
    match &*known_so_far() {
        Known::NotYet => candidates().first().map(|path| super::unix_address(path)),
        Known::At(address) => Some(address.clone()),
        Known::Nowhere => None,
    }
}

fn known_so_far() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The paths to try, the best one first.
pub(super) fn candidates() -> Vec<PathBuf> {
    in_the_first_that_fits(folders())
}

/// A warning about the preferred folder, if its name is too long.
pub(super) fn too_long() -> Option<String> {
    let folder = folders().next()?;
    let length = longest(&names_in(&folder));
    (length > LONGEST_PATH).then(|| {
        format!(
            "the admin API's socket does not fit in {}: its path would have {length} bytes, and \
             the limit for a Unix socket is {LONGEST_PATH}; another folder is used unless you set \
             CLUSTER_API_SOCKET",
            folder.display()
        )
    })
}

fn folders() -> impl Iterator<Item = PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let runtime = set("XDG_RUNTIME_DIR").filter(|folder| folder.is_dir());
    let folders = runtime.into_iter().chain(set("TMPDIR")).chain([PathBuf::from("/tmp")]);
    // The working directory may change later.
    folders.map(|folder| std::path::absolute(&folder).unwrap_or(folder))
}

fn in_the_first_that_fits(mut folders: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let fits = |folder: PathBuf| Some(names_in(&folder)).filter(|it| longest(it) <= LONGEST_PATH);
    folders.find_map(fits).unwrap_or_default()
}

fn names_in(folder: &Path) -> Vec<PathBuf> {
    let pid = process::id();
    let numbered = (2..=NAMES).map(|number| format!("cluster-{pid}-{number}.sock"));
    let names = [format!("cluster-{pid}.sock")].into_iter().chain(numbered);
    names.map(|name| folder.join(name)).collect()
}

fn longest(paths: &[PathBuf]) -> usize {
    paths.iter().map(|path| path.as_os_str().len()).max().unwrap_or(0)
}

/// Removes default sockets of clusters that are gone. A socket with our own pid that does not answer
/// belongs to an earlier process: ours is not bound yet.
pub(super) fn sweep(folder: &Path) {
    let _locked = lock(folder, PATIENCE);
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let pid = entry.file_name().to_str().and_then(pid_in);
        let gone = pid.is_some_and(|pid| pid == process::id() || is_dead(pid));
        if gone && is_our_socket(&path) && !is_in_use(&path) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// `cluster-4711.sock`, or `cluster-4711-2.sock`.
fn pid_in(name: &str) -> Option<u32> {
    let numbers = name.strip_prefix("cluster-")?.strip_suffix(".sock")?;
    let Some((pid, number)) = numbers.split_once('-') else { return numbers.parse().ok() };
    number.parse::<u32>().ok()?;
    pid.parse().ok()
}

/// Containers may share a folder, but not pids: a process that we cannot see may still be alive, so
/// the socket is probed as well. A zombie is dead: its descriptors are closed, even before it is
/// reaped.
fn is_dead(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name precedes the state in parentheses, and may itself contain parentheses.
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

fn is_our_socket(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| found.file_type().is_socket() && found.uid() == geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    use nix::unistd::Pid;

    use super::*;

    #[test]
    fn only_sockets_of_dead_clusters_are_swept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // These pids are larger than any that the kernel assigns.
        let at = |pid: u32| folder.path().join(format!("cluster-{pid}.sock"));
        let numbered = |pid: u32| folder.path().join(format!("cluster-{pid}-2.sock"));
        let left = |path: PathBuf| {
            drop(UnixListener::bind(&path).expect("a free path"));
            path
        };
        let mut child = Command::new("true").spawn().expect("every system has it");
        let (dead, zombie) = (left(at(4_194_305)), left(at(child.id())));
        let (second, ours) = (left(numbered(4_194_305)), left(numbered(process::id())));
        let (living, living_second) = (left(at(1)), left(numbered(1)));
        let other_container = at(4_194_306);
        let _listens = UnixListener::bind(&other_container).expect("a free path");
        let exited = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT; // this does not reap it
        let id = Id::Pid(Pid::from_raw(child.id().cast_signed()));
        waitid(id, exited).expect("it exits");
        let no_socket = at(4_194_307);
        fs::write(&no_socket, "").expect("a writable folder");
        let another_name = left(folder.path().join("cluster-4194305-x.sock"));

        sweep(folder.path());
        child.wait().expect("our child");
        assert!(!dead.exists() && !zombie.exists() && !second.exists() && !ours.exists());
        assert!(other_container.exists() && living.exists() && living_second.exists());
        assert!(no_socket.exists() && another_name.exists());
    }

    #[test]
    fn folder_with_a_name_that_is_too_long_is_skipped() {
        let pid = process::id();
        let longest = LONGEST_PATH - format!("/cluster-{pid}-2.sock").len();
        let fits = PathBuf::from(format!("/{}", "x".repeat(longest - 1)));
        let too_long = PathBuf::from(format!("/{}", "x".repeat(longest)));
        let first = in_the_first_that_fits([fits.clone()].into_iter())[0].clone();
        assert_eq!(first, fits.join(format!("cluster-{pid}.sock")));
        let paths = in_the_first_that_fits([too_long, "/tmp".into()].into_iter());
        let names = ["", "-2", "-3", "-4"].map(|it| format!("/tmp/cluster-{pid}{it}.sock"));
        assert_eq!(paths, names.map(PathBuf::from));
    }
}
