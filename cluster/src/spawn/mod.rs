//! Starting a worker: the same program again, by `exec`, with a manifest of descriptors and nothing
//! else, and tied to its primary.
//!
//! Between `fork` and `exec`, the child does the following, in this order: it moves the descriptors
//! to the numbers of the [`manifest`]; starts a session of its own (Ctrl-C in a terminal reaches only
//! the primary, and a terminal never stops a worker that reads or writes); requests SIGKILL in case
//! the primary dies; checks whether the primary is already dead; resets signals to the kernel's
//! defaults; and marks all descriptors above the manifest to close at `exec`.

mod check;
pub mod manifest;
mod program;

pub(crate) use check::check;
pub use program::{Image, Program};

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid, getppid, setsid};
use rustix::process::{PidfdFlags, pidfd_open};

use crate::listener::systemd;
use crate::runtime::hint;
use crate::signals::{IGNORED_BY_WORKERS, block_only};
use crate::{Error, Result};

/// The variable that marks a process as a worker: it holds the pid of the worker's primary. A
/// grandchild that inherits it has a different parent, and is not misled.
pub const ROLE: &str = "CLUSTER_PRIMARY_PID";

/// The variable with the token of the admin API, which workers, and programs that they start, do not
/// need.
const TOKEN: &str = "CLUSTER_API_TOKEN";

/// A process that has been started and not yet reaped.
#[derive(Debug)]
pub struct Process {
    /// Its id, which stays its own until it is reaped.
    pub pid: Pid,
    /// A handle that stays with this process, whatever happens to the number.
    pub pidfd: OwnedFd,
}

/// Starts a worker: `image` is the code, `program` gives the name and the arguments, and the worker
/// gets `descriptors` as 3, 4, 5 and so on.
///
/// Call it on the main thread: the kernel ties the child to the *thread* that forked (`man 2 prctl`,
/// `PR_SET_PDEATHSIG`).
///
/// # Errors
/// Any error of the kernel: too many processes or descriptors, no memory, or a file that it cannot
/// run.
pub fn spawn(image: &Image, program: &Program, descriptors: &[BorrowedFd<'_>]) -> Result<Process> {
    let mut command = Command::new(image.path());
    command.arg0(program.name()).args(program.args()).stdin(Stdio::null());
    command.env(ROLE, getpid().to_string());
    for name in systemd::VARIABLES.into_iter().chain([TOKEN]) {
        command.env_remove(name);
    }
    command.fd_mappings(place(descriptors)?).expect("each number is used once");
    let above = manifest::CHANNEL + RawFd::try_from(descriptors.len()).expect("a handful");
    before_exec(&mut command, getpid(), above);
    let failed = |error: io::Error| Error::because(hint("cannot start a worker", &error), error);
    let mut child = command.spawn().map_err(failed)?;
    let pid = rustix::process::Pid::from_child(&child);
    // Only this process reaps it, so the number still belongs to this child.
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(pidfd) => Ok(Process { pid: Pid::from_raw(pid.as_raw_nonzero().get()), pidfd }),
        Err(errno) => {
            let _ = child.kill().and_then(|()| child.wait());
            Err(failed(errno.into()))
        }
    }
}

impl Process {
    /// Kills and reaps it at once, because it cannot be watched.
    pub fn abandon(self) {
        let _ = kill(self.pid, Signal::SIGKILL); // not reaped yet, so the pid is its own
        let _ = waitpid(self.pid, None);
    }
}

/// Each descriptor with the number that it gets.
fn place(descriptors: &[BorrowedFd<'_>]) -> Result<Vec<FdMapping>> {
    let numbers = manifest::CHANNEL..;
    let mapping = |(descriptor, child_fd): (&BorrowedFd<'_>, RawFd)| {
        let parent_fd = program::high(&descriptor.try_clone_to_owned()?)?;
        Ok(FdMapping { parent_fd, child_fd })
    };
    descriptors.iter().zip(numbers).map(mapping).collect()
}

/// Adds the child's own steps; only calls that are allowed after a `fork` (`man 7 signal-safety`).
#[allow(unsafe_code)]
fn before_exec(command: &mut Command, primary: Pid, above: RawFd) {
    let prepare = move || {
        setsid()?;
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        if getppid() != primary {
            return Err(io::Error::from_raw_os_error(libc::ESRCH)); // the primary is dead
        }
        default_signals()?;
        close_at_exec(above)
    };
    // SAFETY: it calls nothing but system calls, and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}

/// A signal that arrives before the `exec` must not run a handler of the primary. Signals without a
/// meaning for a worker wait until it ignores them: by default they would kill it as it starts.
#[allow(unsafe_code)]
fn default_signals() -> io::Result<()> {
    for number in Signal::iterator().filter(|it| !matches!(it, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: the default action is not a handler of ours.
        unsafe { signal(number, SigHandler::SigDfl) }?;
    }
    Ok(block_only(IGNORED_BY_WORKERS)?)
}

/// Closes all descriptors from `first` on, as soon as the new program starts. Descriptors that the
/// primary's own parent, such as a shell, left open do not reach the workers either.
#[allow(unsafe_code)]
fn close_at_exec(first: RawFd) -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    let first = first.cast_unsigned();
    // SAFETY: it sets a flag on descriptors of this process, and takes none from its owner.
    match unsafe { libc::close_range(first, libc::c_uint::MAX, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
