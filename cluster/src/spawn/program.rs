//! The file that the workers run: the primary's own program, under the name by which it was started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;

use crate::spawn::manifest::FIRST_FREE;
use crate::{Error, Result};

/// The running program itself, whatever has become of its file.
pub(super) const MYSELF: &str = "/proc/self/exe";

/// A program by name: a deploy changes what the name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    name: OsString,
    args: Vec<OsString>,
}

/// A program by handle: one version, opened once. It stays the same when the file is replaced or
/// removed, so all workers of a generation run the same code.
#[derive(Debug)]
pub struct Image(OwnedFd);

impl Program {
    /// The program of this process, by an absolute path whose symbolic links are **not** followed.
    ///
    /// `std::env::current_exe` follows them: behind `current -> releases/7` it gives `releases/7`,
    /// and every later reload would start version 7 again.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn current() -> Result<Self> {
        let mut args = env::args_os();
        let name = args.next().unwrap_or_default();
        let path = match find(&name).filter(|path| same_file(path, Path::new(MYSELF))) {
            Some(path) => path,
            None => env::current_exe()
                .map_err(|error| Error::because("cannot find my own program in /proc", error))?,
        };
        Ok(Self { path, name, args: args.collect() })
    }

    /// The path of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name before the arguments (`argv[0]`).
    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(super) fn args(&self) -> &[OsString] {
        &self.args
    }

    /// Opens the version that is at the path now.
    ///
    /// # Errors
    /// There is no file, or it is not executable.
    pub fn open(&self) -> Result<Image> {
        let refused = |error| {
            Error::because(format!("cannot open the program {}", self.path.display()), error)
        };
        let metadata = fs::metadata(&self.path).map_err(refused)?;
        if !metadata.is_file() || metadata.mode() & 0o111 == 0 {
            return Err(Error::new(format!(
                "cannot run {}: it is not an executable file",
                self.path.display()
            )));
        }
        Image::open(&self.path)
    }
}

impl Image {
    /// The version that this process itself is running.
    ///
    /// # Errors
    /// `/proc` is not mounted.
    pub fn mine() -> Result<Self> {
        Self::open(Path::new(MYSELF))
    }

    fn open(path: &Path) -> Result<Self> {
        let handle = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
        high(&handle).map(Self)
    }

    /// A path that the kernel resolves to this very file. It works in a child as well, before its
    /// `exec`.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// A copy of a descriptor, with a number above the manifest's. A lower number would be overwritten when
/// a child puts its manifest into place, and a different program would silently be run.
#[allow(unsafe_code)]
pub(super) fn high(descriptor: &OwnedFd) -> Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    let number = fcntl(descriptor, FcntlArg::F_DUPFD_CLOEXEC(FIRST_FREE))
        .map_err(|errno| match errno {
            Errno::EINVAL => Errno::EMFILE, // the answer if the limit is lower than the number
            errno => errno,
        })
        .map_err(|errno| Error::because("out of descriptors; see `ulimit -n`", errno))?;
    // SAFETY: fcntl has just made this descriptor, and no other code knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Resolves `argv[0]`: a path, or a name to look up in `PATH` as the shell did.
fn find(name: &OsStr) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.components().count() > 1 || path.is_absolute() {
        return Some(working_directory()?.join(path));
    }
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(path)).find(|path| path.is_file())
}

/// The working directory as the shell names it. The kernel's name has no symbolic links left: after
/// `cd current` it is `releases/7`.
fn working_directory() -> Option<PathBuf> {
    let logical = env::var_os("PWD").map(PathBuf::from);
    logical
        .filter(|path| path.is_absolute() && same_file(path, Path::new(".")))
        .or_else(|| env::current_dir().ok())
}

fn same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|of| (of.dev(), of.ino())).ok();
    identity(one).is_some_and(|id| Some(id) == identity(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_found_by_its_name() {
        let program = Program::current().expect("/proc is mounted");
        assert!(program.path().is_absolute());
        assert!(same_file(program.path(), Path::new(MYSELF)));
    }

    #[test]
    fn a_path_keeps_its_links() {
        let found = find(OsStr::new("current/app")).expect("there is a working directory");
        assert!(found.ends_with("current/app"), "{}", found.display());
    }

    #[test]
    fn a_file_that_cannot_be_run_is_an_error_with_its_path() {
        let mut program = Program::current().expect("/proc is mounted");
        program.path = PathBuf::from("/dev/null");
        let error = program.open().expect_err("a device is not a program").to_string();
        assert_eq!(error, "cannot run /dev/null: it is not an executable file");
        program.path = PathBuf::from("/nowhere/app");
        let error = program.open().expect_err("it does not exist").to_string();
        assert!(error.starts_with("cannot open the program /nowhere/app: No such file"), "{error}");
    }

    #[test]
    fn a_handle_is_above_the_manifest() {
        let image = Image::mine().expect("/proc is mounted");
        assert!(image.0.as_raw_fd() >= FIRST_FREE);
    }
}
