//! Unix sockets: a socket with a file, which outlives a server that was killed.
//!
//! A file that is in the way is checked before anything is removed. A file that is not a socket is
//! never touched. A socket that answers belongs to a living server. A socket that refuses connections
//! was left by a dead server, and is replaced.
//!
//! Two servers that start at the same moment could both find the dead server's file, and the slower
//! one would remove the faster one's new socket. So checking, removing, binding and listening happen
//! under a lock (flock(2)) on the *directory*: unlike a lock file, it leaves nothing behind.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg, OFlag};
use socket2::{Domain, SockAddr, Socket, Type};

use super::bind::BACKLOG;
use crate::config::LONGEST_PATH;
use crate::{Error, Result};

/// The time for which we wait for another server that is starting in the same directory.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Binds and listens, replacing the file of a dead server. It waits at most `patience` for the lock:
/// any process that can read the directory can hold the lock forever. A path that is free needs no
/// lock.
pub(super) fn bind(path: &Path, patience: Duration) -> Result<(Socket, SocketFile)> {
    let cannot =
        |why: String| Error::new(format!("cannot listen on unix:{}: {why}", path.display()));
    let length = path.as_os_str().as_bytes().len();
    if length > LONGEST_PATH {
        return Err(cannot(format!(
            "the path has {length} bytes, and the kernel allows {LONGEST_PATH}; choose a shorter one"
        )));
    }
    let directory = directory_of(path);
    if !directory.is_dir() {
        return Err(cannot(format!("there is no directory {}; create it", directory.display())));
    }
    bind_at(path, &lock(directory, patience)).map_err(|error| cannot(error.to_string()))
}

/// The file of a socket that we bound; removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
    /// The process that bound it. A forked child has a copy of this value, and must not act on it.
    pid: u32,
}

/// The lock on a directory, if the directory can be locked.
type Lock = Option<Flock<File>>;

/// The identity of a file, whatever its path: device and inode.
type Identity = (u64, u64);

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks whether there is no longer a file at its path.
    pub(super) fn is_gone(&self) -> bool {
        identity(&self.path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            return;
        }
        let _lock = lock(directory_of(&self.path), Duration::ZERO);
        // A different file may be there by now, or the socket of a server that thought we were dead.
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn bind_at(path: &Path, lock: &io::Result<Lock>) -> io::Result<(Socket, SocketFile)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if let Err(held) = lock {
                return Err(io::Error::other(held.to_string()));
            }
            make_room(path, &address)?;
            socket.bind(&address)?;
        }
        other => other?,
    }
    // The lock is held until the socket listens: before that it looks like a dead server's.
    socket.listen(BACKLOG)?;
    let file = SocketFile {
        path: std::path::absolute(path)?, // the working directory may change before the removal
        identity: identity(path)?,
        pid: std::process::id(),
    };
    Ok((socket, file))
}

/// Removes the file if a dead server left it.
fn make_room(path: &Path, address: &SockAddr) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::other("a file that is not a socket is in the way; move it away"));
    }
    // Not blocking: a living server whose queue is full would keep us waiting.
    let probe = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    match probe.connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(io::Error::other(
            "a socket of another user is in the way; remove it, or choose another path",
        )),
        _ => Err(io::Error::other(
            "another server is listening there; stop it, or choose another path with CLUSTER_LISTEN \
             (`ss -lxp` shows which process listens where)",
        )),
    }
}

pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Holds the lock until the value is dropped. A directory that we cannot read cannot be locked; then
/// we continue without a lock, and two servers that start at the same moment may collide.
pub(crate) fn lock(directory: &Path, patience: Duration) -> io::Result<Lock> {
    // Any other file there, such as a pipe, must not keep us waiting.
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(OFlag::O_DIRECTORY.bits());
    let Ok(mut file) = options.open(directory) else { return Ok(None) };
    let give_up = Instant::now() + patience;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Some(lock)),
            Err((again, _)) if Instant::now() < give_up => file = again,
            Err(_) => {
                let why = format!("another process holds a lock on {}", directory.display());
                return Err(io::Error::other(why));
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}
