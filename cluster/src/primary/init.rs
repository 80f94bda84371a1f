//! PID 1: the process to which the kernel gives every orphan of a container.
//!
//! A process that loses its parent becomes a child of PID 1, and when it exits, it stays a zombie
//! until PID 1 has reaped it. A primary could reap such processes, but `waitpid(-1)` also takes the
//! exits of children that the program has started (`std::process::Command`) and waits for itself, and
//! no call can tell the two kinds apart. So as PID 1, the process splits in two: the parent becomes a
//! tiny init, which forwards signals and reaps, and its child is the primary, whose children are all
//! its own.

use std::fs;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, pthread_sigmask, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getpid};

use crate::signals::was_sent;
use crate::{Error, Result};

/// The code that a shell reports for a command killed by a signal: 128 plus the signal's number.
const KILLED: i32 = 128;

/// The role of this process from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is not PID 1, or it is now the child of the init.
    Primary,
    /// It stays PID 1 without an init: a process with several threads must not fork.
    ThreadedPid1,
}

/// The advice in the case of [`Role::ThreadedPid1`].
pub(super) const ADVICE: &str = "this is PID 1, and orphans will stay zombies: call cluster::run \
    before the program starts threads, or let an init be PID 1 (docker run --init, tini)";

/// As PID 1, returns only in the child; the parent exits with the child's exit code.
///
/// # Errors
/// The kernel does not allow a second process.
pub(super) fn split() -> Result<Role> {
    if getpid() != Pid::from_raw(1) {
        return Ok(Role::Primary);
    }
    if fs::read_dir("/proc/self/task").map_or(1, Iterator::count) > 1 {
        return Ok(Role::ThreadedPid1);
    }
    become_init()
}

#[allow(unsafe_code)]
fn become_init() -> Result<Role> {
    let mut before = SigSet::empty();
    // A parent may have left SIGCHLD ignored; then it would not arrive, and nothing would be reaped.
    // SAFETY: the default action is not a handler of ours.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    // Blocked before the fork, so that no signal is lost between the fork and the loop.
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))?;
    // SAFETY: there is only one thread, so the child may continue to use everything.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
            Ok(Role::Primary)
        }
        Ok(ForkResult::Parent { child }) => {
            let code = look_after(child);
            // SAFETY: it ends the process, and leaves to the child what std would flush.
            unsafe { libc::_exit(code) }
        }
        Err(errno) => Err(Error::because("cannot start the primary alongside PID 1", errno)),
    }
}

/// Forwards signals and reaps orphans until the primary has exited; returns its exit code.
fn look_after(primary: Pid) -> i32 {
    loop {
        match next_signal() {
            Some((Signal::SIGCHLD, _)) => {
                if let Some(code) = reap(primary) {
                    return code;
                }
            }
            // The kernel sends a terminal's signals to the whole group, so the primary already has
            // them; but it reports the end of the terminal only to the leader of its session.
            Some((signal, code)) if was_sent(code) || signal == Signal::SIGHUP => {
                let _ = kill(primary, signal);
            }
            _ => {}
        }
    }
}

/// Reaps every child that has exited; returns the primary's exit code, if the primary is among them.
fn reap(primary: Pid) -> Option<i32> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == primary => return Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == primary => {
                return Some(KILLED + signal as i32);
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return None,
            Ok(_) | Err(_) => {}
        }
    }
}

/// Waits for a signal; returns it, and whether a process has sent it (see `si_code`).
#[allow(unsafe_code)]
fn next_signal() -> Option<(Signal, i32)> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: both point to memory of ours; the kernel writes the second.
    let number = unsafe { libc::sigwaitinfo(SigSet::all().as_ref(), info.as_mut_ptr()) };
    let signal = Signal::try_from(number).ok()?; // real-time signals have no name, and no meaning
    // SAFETY: a signal has arrived, so the kernel has written it.
    Some((signal, unsafe { info.assume_init() }.si_code))
}
