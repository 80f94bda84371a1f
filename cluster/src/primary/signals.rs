//! The signals that a primary obeys. Their handlers only enqueue; the loop decides.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use tokio::signal::unix::{self, SignalKind};

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// SIGTERM, SIGINT; or SIGHUP because the terminal closed.
    Stop,
    /// SIGHUP, SIGUSR2.
    Reload,
    /// SIGTTIN.
    OneMore,
    /// SIGTTOU.
    OneLess,
}

/// A stream of wishes.
pub(super) struct Signals {
    term: unix::Signal,
    int: unix::Signal,
    hup: unix::Signal,
    usr2: unix::Signal,
    ttin: unix::Signal,
    ttou: unix::Signal,
    had_terminal: bool,
    /// It was started by `nohup`: whoever did that wants it to outlive the terminal.
    nohup: bool,
}

impl Signals {
    /// Installs the handlers.
    pub(super) fn install() -> io::Result<Self> {
        keep_exit_codes()?;
        let nohup = ignores_hang_up()?;
        unblock()?;
        let on = |kind| unix::signal(kind);
        Ok(Self {
            term: on(SignalKind::terminate())?,
            int: on(SignalKind::interrupt())?,
            hup: on(SignalKind::hangup())?,
            usr2: on(SignalKind::user_defined2())?,
            ttin: on(SignalKind::from_raw(Signal::SIGTTIN as i32))?,
            ttou: on(SignalKind::from_raw(Signal::SIGTTOU as i32))?,
            had_terminal: has_terminal(),
            nohup,
        })
    }

    /// The next wish.
    pub(super) async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
                _ = self.term.recv() => return Wish::Stop,
                _ = self.int.recv() => return Wish::Stop,
                _ = self.hup.recv() => if let Some(wish) = self.hung_up() { return wish },
                _ = self.usr2.recv() => return Wish::Reload,
                _ = self.ttin.recv() => return Wish::OneMore,
                _ = self.ttou.recv() => return Wish::OneLess,
            }
        }
    }

    /// The kernel sends it when a terminal closes, and the shell that dies with it may send another
    /// one; operators send it to reload.
    fn hung_up(&mut self) -> Option<Wish> {
        let lost_terminal = self.had_terminal && !has_terminal();
        if !lost_terminal {
            return Some(Wish::Reload);
        }
        self.had_terminal = false; // it closes once
        (!self.nohup).then_some(Wish::Stop)
    }
}

/// `/dev/tty` is the controlling terminal of whoever opens it; ENXIO means that there is none.
fn has_terminal() -> bool {
    !matches!(File::open("/dev/tty"), Err(e) if e.raw_os_error() == Some(Errno::ENXIO as i32))
}

/// Whoever started us may have ignored SIGCHLD, and that is inherited. Then the kernel would reap our
/// children by itself, and nobody would learn how they ended.
#[allow(unsafe_code)]
fn keep_exit_codes() -> nix::Result<()> {
    // SAFETY: the default action is no handler of ours.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.map(drop)
}

/// Whether SIGHUP was ignored when we were started. It is from now on, until its handler is there.
#[allow(unsafe_code)]
fn ignores_hang_up() -> nix::Result<bool> {
    // SAFETY: ignoring a signal runs no handler.
    let before = unsafe { signal(Signal::SIGHUP, SigHandler::SigIgn) }?;
    Ok(matches!(before, SigHandler::SigIgn))
}

/// Blocked signals are inherited, too; a primary that nobody can stop helps nobody.
fn unblock() -> nix::Result<()> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}
