//! The signals that a primary obeys. Their handlers only enqueue; the loop decides.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, Signal, signal};
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
}

impl Signals {
    /// Installs the handlers.
    pub(super) fn install() -> io::Result<Self> {
        keep_exit_codes()?;
        let on = |kind| unix::signal(kind);
        Ok(Self {
            term: on(SignalKind::terminate())?,
            int: on(SignalKind::interrupt())?,
            hup: on(SignalKind::hangup())?,
            usr2: on(SignalKind::user_defined2())?,
            ttin: on(SignalKind::from_raw(Signal::SIGTTIN as i32))?,
            ttou: on(SignalKind::from_raw(Signal::SIGTTOU as i32))?,
            had_terminal: has_terminal(),
        })
    }

    /// The next wish.
    pub(super) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.term.recv() => Wish::Stop,
            _ = self.int.recv() => Wish::Stop,
            // The kernel sends it when a terminal closes, and operators send it to reload.
            _ = self.hup.recv() => if self.lost_terminal() { Wish::Stop } else { Wish::Reload },
            _ = self.usr2.recv() => Wish::Reload,
            _ = self.ttin.recv() => Wish::OneMore,
            _ = self.ttou.recv() => Wish::OneLess,
        }
    }

    fn lost_terminal(&self) -> bool {
        self.had_terminal && !has_terminal()
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
