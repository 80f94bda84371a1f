//! # Share one listening socket
//!
//! Several processes answer on one port. You write the four functions for it: the socket, one worker
//! on it, several workers on it, and a worker that is another program and gets the socket through
//! an exec.
//!
//! What must hold:
//!
//! 1. There is one listening socket. A second bind of the same address fails.
//! 2. The primary never accepts.
//! 3. A worker answers one connection after the other, until somebody ends it.
//! 4. While one worker is busy, the others answer. While there is no worker, clients wait.
//! 5. Only the program that is meant to get the socket gets it.
//!
//! To read: `level-1-basics/guides/04-sharing-a-port.md`, and "Descriptors" and "Exec" in
//! `03-fork-exec-wait.md`. In a second terminal: `cargo test -p exercises listen`.

#![allow(unused_imports)] // what you will probably need is here already

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{ForkResult, Pid};

use crate::provided::fork;

/// The variable that tells a program on which descriptor it should listen.
pub const LISTEN_FD: &str = "LISTEN_FD";

/// Step 1. Listens on `address`. Port 0 lets the kernel choose a free one.
///
/// # Errors
/// One line for the user, which names the address. If it is taken, the line says so in the words
/// "in use", and with which command to find out who has it: `ss -ltnp 'sport = :8000'`, with the
/// right port.
pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    hole!("listen::1", address)
}

/// Step 2. Forks a worker that accepts from `listener` and does `answer` with each connection, one
/// after the other, for ever. Returns its pid at once.
///
/// # Errors
/// There is no room for one more process.
pub fn start_worker(listener: &TcpListener, answer: impl Fn(TcpStream)) -> io::Result<Pid> {
    hole!("listen::2", listener, answer)
}

/// Step 3. Forks `count` workers as in step 2, all of which accept from `listener`. Returns their
/// pids at once.
///
/// # Errors
/// There is no room for so many processes.
pub fn start_workers(
    listener: &TcpListener,
    count: usize,
    answer: impl Fn(TcpStream),
) -> io::Result<Vec<Pid>> {
    hole!("listen::3", listener, count, answer)
}

/// Step 4. Starts `program` as a worker: fork, then exec. The program finds `listener` on the
/// descriptor whose number the variable [`LISTEN_FD`] says. Returns its pid at once.
///
/// Rust marks every descriptor that it opens as close-on-exec, so `listener` would be gone after the
/// exec. The mark has to go in the worker; in this process it stays, so that no other program that
/// is started here gets the socket. A program that cannot be started makes the worker exit with code
/// 127.
///
/// # Errors
/// There is no room for one more process.
pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    hole!("listen::4", listener, program, LISTEN_FD)
}
