//! A cluster on its own terminal, whose keyboard belongs to the test.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use nix::libc;
use nix::pty::openpty;
use nix::unistd::setsid;

use super::{Service, Start};

/// The keyboard's side of the terminal.
pub struct Terminal(File);

impl Terminal {
    /// Types Ctrl-C: the kernel sends SIGINT to the foreground group.
    pub fn ctrl_c(&mut self) {
        self.0.write_all(b"\x03").expect("the terminal is open");
    }

    /// Closes the terminal: the kernel sends SIGHUP to the leader of its session.
    pub fn close(self) {
        drop(self.0);
    }
}

impl Start {
    /// Starts it as a shell in a terminal would, as the leader of the foreground group.
    #[allow(unsafe_code)]
    pub fn on_a_terminal(mut self) -> (Service, Terminal) {
        let pty = openpty(None, None).expect("there is a free terminal");
        let mut flags = nix::fcntl::FdFlag::from_bits_truncate(0);
        flags.insert(nix::fcntl::FdFlag::FD_CLOEXEC);
        nix::fcntl::fcntl(&pty.master, nix::fcntl::FcntlArg::F_SETFD(flags)).expect("it is open");
        let slave = pty.slave;
        let number = slave.as_raw_fd();
        let take_terminal = move || {
            setsid()?;
            // SAFETY: it passes a number that is open in the child, and no pointer.
            match unsafe { libc::ioctl(number, libc::TIOCSCTTY, 0) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        };
        // SAFETY: it calls nothing but system calls, and allocates nothing.
        unsafe { self.command().pre_exec(take_terminal) };
        let service = self.spawn_with(Stdio::null());
        drop(slave);
        (service, Terminal(File::from(pty.master)))
    }
}
