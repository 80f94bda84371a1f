//! The few operations on processes that several examples share: fork behind a check, the tie
//! between worker and primary, the end of a process, the graceful stop.
//!
//! `basic-cluster` and `fork-and-wait` teach each of them; the guides give the reasons.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::iter;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::process::exit;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::signalfd::SignalFd;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::AcceptConn;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getppid};

use crate::signals::{StopRequest, asked_to_stop, pending, poll_readable, stops};
use lab::{Result, say};

/// The time that a worker gets to finish its requests after SIGTERM.
pub const GRACE: Duration = Duration::from_secs(5);

/// The error of a primary that does not replace its workers and has none left.
pub const ALL_ENDED: &str = "all workers have ended; basic-cluster shows how to replace them";

/// `fork(2)`, after making sure that it is safe: returns twice, once in each process.
///
/// Only the calling thread continues in the child. If another one held a lock at that moment (the
/// memory allocator's, say), the lock would stay locked there forever. So this process must have a
/// single thread, which is checked here. For this reason a primary forks before it starts any runtime.
///
/// # Errors
/// There is more than one thread; or an error of the kernel: EAGAIN (too many processes), ENOMEM.
///
/// # Platform
/// Linux: threads are counted in `/proc/self/task`. See `man 2 fork`, "Notes".
#[allow(unsafe_code)]
pub fn fork() -> Result<ForkResult> {
    // The program that started us may have ignored SIGCHLD, and that is inherited. Then the kernel
    // would reap our children on its own, and we would never learn how they ended.
    // SAFETY: the default action is not a handler of ours.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    let threads = fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(
            format!("fork needs a process with one thread, and this one has {threads}").into()
        );
    }
    // SAFETY: there is no other thread, so the child gets a consistent copy of everything.
    unsafe { nix::unistd::fork() }.map_err(|errno| match errno {
        Errno::EAGAIN => "cannot fork: this user has too many processes; see `ulimit -u`".into(),
        _ => format!("cannot fork: {}", errno.desc()).into(),
    })
}

/// Asks the kernel to kill this new worker when `primary` dies, whatever the worker is doing.
///
/// # Errors
/// The primary already died between the fork and this call.
///
/// # Platform
/// Linux: `PR_SET_PDEATHSIG`. The signal comes when the *thread* that forked ends; a primary
/// forks on its main thread for that reason. See `man 2 prctl`.
pub fn die_with(primary: Pid) -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() == primary {
        Ok(())
    } else {
        Err("the primary died before its worker started".into())
    }
}

/// Ends a worker: with code 0, or with the reason in one line and code 1.
///
/// A child that returned from its branch instead would continue as a second primary.
pub fn end_worker(result: Result<()>) -> ! {
    let Err(reason) = result else { exit(0) };
    say!("worker: {reason}");
    exit(1)
}

/// Reaps one child that has ended, if there is one: reads how it ended and lets the kernel forget
/// it. Until then it is a zombie.
///
/// Call it until it returns `None`: several exits may come with a single SIGCHLD.
///
/// # Errors
/// Any error of the kernel, except that there are no children at all.
pub fn reap() -> Result<Option<(Pid, WaitStatus)>> {
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => Ok(None),
        Ok(status) => Ok(status.pid().map(|pid| (pid, status))),
        Err(errno) => Err(errno.into()),
    }
}

/// Reaps all children that have ended.
///
/// # Errors
/// Any error of the kernel.
pub fn reap_all() -> Result<Vec<(Pid, WaitStatus)>> {
    iter::from_fn(|| reap().transpose()).collect()
}

/// Describes how a process ended, in words.
#[must_use]
pub fn how_it_ended(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(_, code) => format!("exited with code {code}"),
        WaitStatus::Signaled(_, signal, false) => format!("was killed by {signal}"),
        WaitStatus::Signaled(_, signal, true) => format!("was killed by {signal}, core dumped"),
        other => format!("changed state: {other:?}"),
    }
}

/// Stops `workers` gracefully: SIGTERM to each, then waits until all are reaped. After [`GRACE`], or
/// when `request` is repeated, the remaining workers get SIGKILL.
///
/// # Errors
/// Any error of the kernel.
pub fn stop(
    signals: &SignalFd,
    request: StopRequest,
    workers: impl IntoIterator<Item = Pid>,
) -> Result<()> {
    stop_with(signals, request, workers, tell_end)
}

/// Logs a worker's end, in one line.
pub fn tell_end(pid: Pid, status: WaitStatus) {
    say!("primary: worker {pid} {}", how_it_ended(status));
}

/// The same as [`stop`], with a function of your own that is called for each worker that ends.
///
/// # Errors
/// Any error of the kernel.
pub fn stop_with(
    signals: &SignalFd,
    mut request: StopRequest,
    workers: impl IntoIterator<Item = Pid>,
    mut ended: impl FnMut(Pid, WaitStatus),
) -> Result<()> {
    let mut left: BTreeSet<Pid> = workers.into_iter().collect();
    say!("primary: stopping, SIGTERM to {} worker(s)", left.len());
    send(Signal::SIGTERM, &left);
    let mut deadline = Some(Instant::now() + GRACE);
    loop {
        for (pid, status) in reap_all()? {
            left.remove(&pid);
            ended(pid, status);
        }
        if left.is_empty() {
            say!("primary: all workers are gone, goodbye");
            return Ok(());
        }
        poll_readable(&[signals.as_fd()], deadline)?;
        let now = Instant::now();
        let mut at_once = deadline.is_some_and(|deadline| deadline <= now);
        for signal in stops(&pending(signals)?) {
            if request.is_repeated_by(signal, now) {
                at_once = true;
            } else {
                say!("primary: {signal} is part of the same request to stop");
            }
        }
        if at_once {
            say!("primary: not waiting any longer, SIGKILL to {} worker(s)", left.len());
            send(Signal::SIGKILL, &left);
            deadline = None; // SIGKILL cannot be refused: only the reaping is left
        }
    }
}

/// The loop of a primary that does not replace its workers: logs how they end, and [`stop`]s the
/// remaining ones when it is asked to.
///
/// # Errors
/// All workers have ended without being asked to; or any error of the kernel.
pub fn watch(signals: &SignalFd, mut workers: Vec<Pid>) -> Result<()> {
    while !workers.is_empty() {
        poll_readable(&[signals.as_fd()], None)?;
        if let Some(request) = asked_to_stop(&pending(signals)?) {
            return stop(signals, request, workers);
        }
        for (pid, status) in reap_all()? {
            tell_end(pid, status);
            workers.retain(|worker| *worker != pid);
        }
    }
    Err(ALL_ENDED.into())
}

fn send(signal: Signal, workers: &BTreeSet<Pid>) {
    for pid in workers {
        // It has not been reaped, so its pid is still its own; at worst it is a zombie.
        let _ = kill(*pid, signal);
    }
}

/// Takes over the listening socket that arrived as descriptor `number` through an exec.
///
/// # Errors
/// Nothing is open there (it was close-on-exec), or it is not a listening socket.
#[allow(unsafe_code)]
pub fn inherited_listener(number: RawFd) -> Result<TcpListener> {
    // SAFETY: it is only asked for its flags; a descriptor that is not open gives EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    match getsockopt(&borrowed, AcceptConn) {
        // SAFETY: it is open, and nothing else in this fresh process knows about it.
        Ok(true) => Ok(TcpListener::from(unsafe { OwnedFd::from_raw_fd(number) })),
        Ok(false) | Err(Errno::ENOTSOCK) => {
            Err(format!("descriptor {number} does not listen").into())
        }
        Err(errno) => {
            Err(format!("descriptor {number} did not arrive: {}", io::Error::from(errno)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fork_refuses_a_process_with_threads() {
        // The test runner has a thread for itself and one for this test.
        let refused = fork().expect_err("a fork here could deadlock the child").to_string();
        assert!(refused.starts_with("fork needs a process with one thread, and this one has "));
    }

    #[test]
    fn a_code_and_a_signal_are_described_differently() {
        let pid = Pid::from_raw(1);
        for (status, words) in [
            (WaitStatus::Exited(pid, 9), "exited with code 9"),
            (WaitStatus::Signaled(pid, Signal::SIGKILL, false), "was killed by SIGKILL"),
            (
                WaitStatus::Signaled(pid, Signal::SIGQUIT, true),
                "was killed by SIGQUIT, core dumped",
            ),
        ] {
            assert_eq!(how_it_ended(status), words);
        }
    }

    #[test]
    fn a_descriptor_that_did_not_arrive_is_an_error() {
        let error = inherited_listener(999).expect_err("nothing is open there").to_string();
        assert!(error.starts_with("descriptor 999 did not arrive: Bad file descriptor"), "{error}");
        let file = fs::File::open("/dev/null").expect("it can be opened");
        let number = std::os::fd::AsRawFd::as_raw_fd(&file);
        let error = inherited_listener(number).expect_err("it is not a socket").to_string();
        assert_eq!(error, format!("descriptor {number} does not listen"));
    }
}
