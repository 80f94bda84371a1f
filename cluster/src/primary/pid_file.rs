//! The pid file: how scripts find the primary, and how a second one notices the first.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::{Error, Result};

/// A file with our pid. It is locked as long as we live: a lock, unlike a number in a file, cannot
/// outlive its owner. So the file that a killed primary left is simply taken over.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    _locked: Flock<fs::File>,
}

impl PidFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let refused =
            |error| Error::because(format!("cannot write the pid file {}", path.display()), error);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(refused)?;
        let mut pid = String::new();
        file.read_to_string(&mut pid).map_err(refused)?;
        let mut locked = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(
            |(_, errno)| match errno {
                Errno::EWOULDBLOCK => Error::new(format!(
                    "another primary runs already: {} is locked by process {}; stop that one, or \
                     choose another file with CLUSTER_PID_FILE",
                    path.display(),
                    pid.trim()
                )),
                errno => refused(errno.into()),
            },
        )?;
        locked.set_len(0).and_then(|()| locked.rewind()).map_err(refused)?;
        writeln!(locked, "{}", process::id()).map_err(refused)?;
        Ok(Self { path: path.to_owned(), _locked: locked })
    }
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
    fn it_holds_the_pid_and_is_gone_at_the_end() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("app.pid");
        fs::write(&path, "4711 left by a primary that was killed\n").expect("there is room");
        let file = PidFile::create(&path).expect("nobody holds it");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), format!("{}\n", process::id()));
        let second = PidFile::create(&path).expect_err("it is held").to_string();
        assert!(second.contains(&format!("locked by process {}", process::id())), "{second}");
        drop(file);
        assert!(!path.exists());
    }
}
