//! # Share one listening socket
//!
//! Several processes answer on one port. You write four functions for this: one opens the socket,
//! the others start a worker on it, several workers on it, and a worker that is a different program
//! and gets the socket through an exec.
//!
//! What must hold:
//!
//! 1. There is one listening socket. A second bind of the same address fails.
//! 2. The primary never accepts.
//! 3. A worker answers one connection after another, until it is terminated.
//! 4. While one worker is busy, the others answer. While there is no worker, clients wait.
//! 5. Only the program that is meant to get the socket gets it.
//!
//! To read: `level-1-basics/guides/04-sharing-a-port.md`, and "Descriptors" and "Exec" in
//! `03-fork-exec-wait.md`. In a second terminal: `cargo test -p exercises listen`.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{ForkResult, Pid};

use crate::provided::fork;

/// The variable that contains the number of the descriptor on which a program should listen.
pub const LISTEN_FD: &str = "LISTEN_FD";

/// Step 1. Listens on `address`. Port 0 lets the kernel choose a free port.
///
/// # Errors
/// One line for the user that names the address. If the address is taken, the line contains the
/// words "in use" and the command that shows which process holds it: `ss -ltnp 'sport = :8000'`,
/// with the right port.
pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use; to see its owner: ss -ltnp 'sport = :{}'", address.port())
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

/// Step 2. Forks a worker that accepts from `listener` and calls `answer` with each connection, one
/// after another, forever. Returns the worker's pid at once.
///
/// # Errors
/// There is no room for one more process.
pub fn start_worker(listener: &TcpListener, answer: impl Fn(TcpStream)) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => loop {
            // The child has its own copy of the descriptor, but the socket behind it is the same.
            match listener.accept() {
                Ok((client, _)) => answer(client),
                Err(error) => {
                    eprintln!("cannot accept: {error}");
                    exit(1)
                }
            }
        },
    }
}

/// Step 3. Forks `count` workers as in step 2, all of which accept from `listener`. Returns their
/// pids at once.
///
/// # Errors
/// There is no room for `count` processes.
pub fn start_workers(
    listener: &TcpListener,
    count: usize,
    answer: impl Fn(TcpStream),
) -> io::Result<Vec<Pid>> {
    (0..count).map(|_| start_worker(listener, &answer)).collect()
}

/// Step 4. Starts `program` as a worker: fork, then exec. The program finds `listener` on the
/// descriptor whose number is in the variable [`LISTEN_FD`]. Returns the worker's pid at once.
///
/// Rust marks every descriptor that it opens as close-on-exec, so `listener` would be gone after
/// the exec. Remove the mark in the worker; in this process the mark must stay, so that no other
/// program started from here gets the socket. If the program cannot be started, the worker exits
/// with code 127.
///
/// # Errors
/// There is no room for one more process.
pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            // In the child, not before the fork: the mark belongs to the descriptor, and the parent's
            // descriptor has to stay close-on-exec for all the other programs that it starts.
            let kept = fcntl(listener.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()));
            if let Err(error) = kept {
                eprintln!("cannot keep the listening socket: {error}");
                exit(127);
            }
            // On success `exec` does not return: from here on this process is the other program.
            let error = program.env(LISTEN_FD, listener.as_raw_fd().to_string()).exec();
            eprintln!("cannot start {}: {error}", program.get_program().display());
            exit(127)
        }
    }
}
