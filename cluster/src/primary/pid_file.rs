//! The pid file: scripts use it to find the primary, and a second primary uses it to notice the
//! first.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::{Error, Result};

/// At most this much of a file is read: enough for a pid.
const LONGEST: u64 = 64;

/// A file with our pid. It is locked as long as we live: a lock, unlike a number in a file, cannot
/// outlive its owner. So the file that a killed primary left behind is simply taken over.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    _locked: Flock<File>,
}

impl PidFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let refused =
            |error| Error::because(format!("cannot write the pid file {}", path.display()), error);
        loop {
            let mut locked = lock(path, open(path).map_err(refused)?)?;
            // The primary that held it may have removed it just before we got the lock.
            if !is_at(&locked, path) {
                continue;
            }
            locked.set_len(0).and_then(|()| locked.rewind()).map_err(refused)?;
            writeln!(locked, "{}", process::id()).map_err(refused)?;
            return Ok(Self { path: path.to_owned(), _locked: locked });
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

fn lock(path: &Path, mut file: File) -> Result<Flock<File>> {
    let mut found = Vec::new();
    let _ = Read::by_ref(&mut file).take(LONGEST).read_to_end(&mut found); // for the message only
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        Errno::EWOULDBLOCK => Error::new(format!(
            "another primary is already running: {} is locked by process {}; stop it, or choose \
             another file with CLUSTER_PID_FILE",
            path.display(),
            String::from_utf8_lossy(&found).trim()
        )),
        errno => Error::because(format!("cannot lock the pid file {}", path.display()), errno),
    })
}

fn is_at(file: &File, path: &Path) -> bool {
    let identity = |of: Metadata| (of.dev(), of.ino());
    let (here, there) = (file.metadata().map(identity), fs::metadata(path).map(identity));
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // still locked, so it is still ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pid_file_holds_the_pid_and_is_gone_at_the_end() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("app.pid");
        fs::write(&path, b"4711 left by a primary that was killed, \xff\n").expect("there is room");
        let file = PidFile::create(&path).expect("it is not locked");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), format!("{}\n", process::id()));
        let second = PidFile::create(&path).expect_err("it is held").to_string();
        assert!(second.contains(&format!("locked by process {}", process::id())), "{second}");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_worth_nothing() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("app.pid");
        let early = open(&path).expect("there is room"); // a second primary, a moment too early
        fs::remove_file(&path).expect("it is ours"); // by the first one, as it exits
        let early = lock(&path, early).expect("it is not locked");
        assert!(!is_at(&early, &path), "there is no file");
        let _third = PidFile::create(&path).expect("the path is free");
        assert!(!is_at(&early, &path), "it is a different file");
    }
}
