//! Starting a worker: the same program again, by `exec`, with a manifest of descriptors and nothing
//! else, and tied to its primary.
//!
//! What happens between `fork` and `exec`, in this order: the descriptors go to the numbers of the
//! [`manifest`]; a session of its own (Ctrl-C in a terminal reaches the primary alone, and a
//! terminal never stops a worker that reads or writes); SIGKILL when the primary dies; a look
//! whether it is dead already; signals as the kernel has them by default; all descriptors above the
//! manifest close at `exec`.

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

/// The variable that tells a process that it is a worker: it holds the pid of its primary. A
/// grandchild that inherits it has another parent, and is not taken in.
pub const ROLE: &str = "CLUSTER_PRIMARY_PID";

/// What the admin API's clients must bring is no business of the workers and of what they start.
const TOKEN: &str = "CLUSTER_API_TOKEN";

/// A process that was started and not reaped yet.
#[derive(Debug)]
pub struct Process {
    /// Its id. It is its own until it is reaped.
    pub pid: Pid,
    /// A handle that stays with this process, whatever happens to the number.
    pub pidfd: OwnedFd,
}

/// Starts a worker: `image` is the code, `program` gives name and arguments, and `descriptors` are
/// what it gets as 3, 4, 5 and so on.
///
/// Call it on the main thread: the kernel's tie between parent and child is to the *thread* that
/// forked (`man 2 prctl`, `PR_SET_PDEATHSIG`).
///
/// # Errors
/// The kernel's: too many processes or descriptors, no memory, or a file that it cannot run.
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
    // Nobody reaps it but us, so the number still is this child's.
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(pidfd) => Ok(Process { pid: Pid::from_raw(pid.as_raw_nonzero().get()), pidfd }),
        Err(errno) => {
            let _ = child.kill().and_then(|()| child.wait());
            Err(failed(errno.into()))
        }
    }
}

impl Process {
    /// Ends and reaps it at once: for one that cannot be looked after.
    pub fn abandon(self) {
        let _ = kill(self.pid, Signal::SIGKILL); // it was not reaped: the number is its own
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

/// What the child does for itself; only calls that are allowed after a `fork` (`man 7 signal-safety`).
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

/// A signal that arrives before the `exec` must not run a handler of the primary. Those that mean
/// nothing to a worker wait until it ignores them: by default they would end one that has just begun.
#[allow(unsafe_code)]
fn default_signals() -> io::Result<()> {
    for number in Signal::iterator().filter(|it| !matches!(it, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: the default action is no handler of ours.
        unsafe { signal(number, SigHandler::SigDfl) }?;
    }
    Ok(block_only(IGNORED_BY_WORKERS)?)
}

/// Closes all descriptors from `first` on, as soon as the new program begins. What the primary's own
/// parent left open, such as a shell's, does not reach the workers either.
#[allow(unsafe_code)]
fn close_at_exec(first: RawFd) -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    let first = first.cast_unsigned();
    // SAFETY: it sets a flag on descriptors of this process, and takes nothing from anybody.
    match unsafe { libc::close_range(first, libc::c_uint::MAX, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
