//! The Unix socket: only its owner may connect, from the moment it is created until it is removed.
//!
//! Clusters in several containers may start in one folder at the same moment. A socket that is
//! bound but does not listen yet looks like the socket of a dead cluster, so checking, removing,
//! binding and listening happen under a lock on the folder, as for the
//! [listeners](crate::listener).

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::listener::{directory_of, lock};
use crate::{Error, Result};

/// The limit on connections that are waiting for the admin API's thread.
pub(super) const BACKLOG: i32 = 64;

/// The timeout for the lock. After that, the folder is used without the lock: the socket is only a
/// convenience, and a missing file is created again.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// The fate of a file that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// A socket that a killed cluster left behind is removed; other files stay.
    Replaced,
    /// The file stays, whatever it is.
    Kept,
}

/// A socket file that is removed on drop.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: after a removal by hand, the path may belong to another program. As long
    /// as our socket is open, no other file can have this inode.
    identity: (u64, u64),
}

/// Listens at the first of these paths that can be used. The error is about the first path.
pub(super) fn bind(
    paths: impl IntoIterator<Item = PathBuf>,
    in_the_way: InTheWay,
) -> Result<(UnixListener, SocketFile)> {
    let (mut first, mut locked) = (None, None);
    for path in paths {
        locked = locked.or_else(|| lock(directory_of(&path), PATIENCE).ok()); // all in one folder
        match bind_at(&path, in_the_way) {
            Ok(bound) => return Ok(bound),
            Err(error) => drop(first.get_or_insert((path, error))),
        }
    }
    let (path, cause) = first.ok_or_else(|| Error::new("no path is short enough for a socket"))?;
    let what = format!(
        "the admin API cannot listen on {}; set CLUSTER_API_SOCKET to another path, or to off",
        path.display()
    );
    Err(Error::because(what, cause))
}

impl SocketFile {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the path still leads to this file. Also true for a folder that we cannot
    /// look into: no socket could be created there either.
    pub fn is_there(&self) -> bool {
        match identity(&self.path) {
            Ok(now) => now == self.identity,
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _locked = lock(directory_of(&self.path), PATIENCE);
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // If another process removes it first, the result is the same.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The umask belongs to the whole process, so it cannot set one file's mode while other threads run;
/// a chmod after the bind leaves a gap between the two. But Linux creates the file with the mode of
/// the socket itself (`unix_bind_bsd` in `net/unix/af_unix.c`), so that mode is set first.
fn bind_at(path: &Path, in_the_way: InTheWay) -> io::Result<(UnixListener, SocketFile)> {
    make_way(path, in_the_way)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    fchmod(&socket, Mode::S_IRUSR | Mode::S_IWUSR)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok((socket.into(), file))
}

fn make_way(path: &Path, in_the_way: InTheWay) -> io::Result<()> {
    let exists = |what| Err(io::Error::new(ErrorKind::AlreadyExists, what));
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) if in_the_way == InTheWay::Kept => exists("there is a file that is not ours"),
        Ok(found) if !found.file_type().is_socket() => {
            exists("there is a file that is not a socket")
        }
        Ok(_) if is_in_use(path) => {
            Err(io::Error::new(ErrorKind::AddrInUse, "another program is listening there"))
        }
        Ok(_) => fs::remove_file(path),
    }
}

/// Returns whether a process is listening. Only a refused connection proves that none is. This does
/// not block: a program that listens but never accepts must not keep us from starting.
pub(super) fn is_in_use(path: &Path) -> bool {
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
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn clusters_that_start_together_take_different_names() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = ["a", "b", "c", "d"].map(|name| folder.path().join(name));
        for _ in 0..100 {
            for path in &paths {
                drop(UnixListener::bind(path).expect("a free path")); // left by a dead cluster
            }
            let together = Barrier::new(paths.len());
            let start = || {
                together.wait();
                bind(paths.clone(), InTheWay::Replaced).expect("there is one for each")
            };
            let bound: Vec<_> = thread::scope(|scope| {
                let starts: Vec<_> = paths.iter().map(|_| scope.spawn(start)).collect();
                starts.into_iter().map(|it| it.join().expect("it does not panic")).collect()
            });
            let names: BTreeSet<_> = bound.iter().map(|(_, file)| file.path()).collect();
            assert_eq!(names.len(), paths.len());
            assert!(bound.iter().all(|(_, file)| file.is_there()));
        }
    }
}
