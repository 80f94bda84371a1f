//! The function returns the pid of the calling process.
//! fails: spawn::1 spawn::2 spawn::3 spawn::4

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { .. } => Ok(nix::unistd::getpid()),
        ForkResult::Child => exit(work()),
    }
}
