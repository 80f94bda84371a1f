//! The Unix socket: nobody but its owner may connect, from its first moment until its last.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, fchmod};
use nix::unistd::geteuid;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{Error, Result};

/// Connections that wait for the admin API's thread.
pub(super) const BACKLOG: i32 = 64;

/// A socket file, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: after a removal by hand, the path may have become somebody else's.
    identity: (u64, u64),
}

/// Listens at a path; at `None` at the default one.
pub(super) fn bind(path: Option<&Path>) -> Result<(UnixListener, SocketFile)> {
    if path.is_none() {
        default_path().parent().into_iter().for_each(sweep);
    }
    let path = path.map_or_else(default_path, Path::to_owned);
    bind_at(&path).map_err(|cause| {
        let what = format!(
            "the admin API cannot listen on {}; choose another path (CLUSTER_API_SOCKET), or off",
            path.display()
        );
        Error::because(what, cause)
    })
}

impl SocketFile {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // Whoever can remove it before us has done what we want.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The umask belongs to the whole process and is no way to set one file's mode while other threads
/// run; a chmod after bind leaves a moment in between. But Linux makes the file with the mode that
/// the socket itself has (`unix_bind_bsd` in `net/unix/af_unix.c`), so it is set before.
fn bind_at(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    make_way(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    fchmod(&socket, Mode::S_IRUSR | Mode::S_IWUSR)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok((socket.into(), file))
}

/// Removes the file that a cluster left behind when it was killed, and nothing else.
fn make_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"))
        }
        Ok(_) if is_in_use(path) => {
            Err(io::Error::new(ErrorKind::AddrInUse, "another program listens there"))
        }
        Ok(_) => fs::remove_file(path),
    }
}

/// Where the socket of this process is, unless somebody chose another path.
pub(super) fn default_path() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = runtime.filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir);
    folder.join(format!("cluster-{}.sock", std::process::id()))
}

/// Removes default sockets of clusters that are gone.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let pid = name.to_str().and_then(pid_in).filter(|pid| *pid != std::process::id());
        if pid.is_some_and(is_dead) && is_our_socket(&path) && !is_in_use(&path) {
            let _ = fs::remove_file(&path);
        }
    }
}

fn pid_in(name: &str) -> Option<u32> {
    name.strip_prefix("cluster-")?.strip_suffix(".sock")?.parse().ok()
}

/// Containers may share a folder, but not pids: so a pid that we do not see may still be alive, and
/// the socket is asked as well. A zombie is dead: its descriptors are closed, whenever it is reaped.
fn is_dead(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program stands in parentheses before the state, and may contain some.
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

fn is_our_socket(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| found.file_type().is_socket() && found.uid() == geteuid().as_raw())
}

/// Whether somebody listens. Only a refused connection proves that nobody does. It does not block:
/// a program that listens and never accepts must not keep us from starting.
fn is_in_use(path: &Path) -> bool {
    let connect = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    !connect().is_err_and(|error: io::Error| error.kind() == ErrorKind::ConnectionRefused)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    use nix::unistd::Pid;

    use super::*;

    #[test]
    fn only_sockets_of_the_dead_are_swept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Larger than any pid that the kernel gives.
        let at = |pid: u32| folder.path().join(format!("cluster-{pid}.sock"));
        let dead = at(4_194_305);
        drop(UnixListener::bind(&dead).expect("a free path"));
        let other_container = at(4_194_306);
        let _listens = UnixListener::bind(&other_container).expect("a free path");
        let living = at(1);
        drop(UnixListener::bind(&living).expect("a free path"));
        let mut child = Command::new("true").spawn().expect("it is everywhere");
        let zombie = at(child.id());
        drop(UnixListener::bind(&zombie).expect("a free path"));
        let exited = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT; // it is not reaped by that
        let id = Id::Pid(Pid::from_raw(child.id().cast_signed()));
        waitid(id, exited).expect("it ends");
        let no_socket = at(4_194_307);
        fs::write(&no_socket, "").expect("a writable folder");

        sweep(folder.path());
        child.wait().expect("our child");
        assert!(!dead.exists() && !zombie.exists());
        assert!(other_container.exists() && living.exists() && no_socket.exists());
    }
}
