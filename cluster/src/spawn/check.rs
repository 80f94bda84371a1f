//! The surroundings that a worker needs in order to start, checked before anything is started.

use std::fs::{File, metadata};
use std::io;

use nix::libc;
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use super::close_at_exec;
use super::program::MYSELF;
use crate::{Error, Result};

/// The advice if a system call is refused. Old profiles of container runtimes answer EPERM to calls
/// that they do not know, and old kernels answer ENOSYS.
const REFUSED: &str = "Linux 5.11 or later is needed, and in a container a seccomp profile that \
    knows the call: update the container runtime and libseccomp, or run with \
    --security-opt seccomp=unconfined";

/// Checks everything that a worker's start needs.
///
/// # Errors
/// Something is missing or forbidden; the message says what to do.
pub(crate) fn check() -> Result<()> {
    let missing = |what: &str, advice: &str, error: io::Error| {
        Error::because(format!("cannot start workers without {what}; {advice}"), error)
    };
    File::open("/dev/null")
        .map_err(|error| missing("/dev/null", "make it: mknod -m 666 /dev/null c 1 3", error))?;
    metadata(MYSELF)
        .map_err(|error| missing("/proc", "mount it: mount -t proc proc /proc", error))?;
    let forbidden = |call: &str, error: io::Error| {
        Error::because(format!("cannot start workers without the call {call}; {REFUSED}"), error)
    };
    // A number that no descriptor has.
    close_at_exec(libc::c_int::MAX).map_err(|error| forbidden("close_range", error))?;
    pidfd_open(getpid(), PidfdFlags::NONBLOCK)
        .map_err(|errno| forbidden("pidfd_open", errno.into()))?;
    Ok(())
}
