//! A daemon: it has a session of its own and no parent, and ignores SIGTERM.
//! exercise: spawn
//! fails: spawn::1 spawn::2 spawn::3 spawn::4
//! finding: left-running

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    if let ForkResult::Parent { child } = fork()? {
        waitpid(child, None)?;
    } else {
        if let ForkResult::Parent { .. } = fork()? {
            exit(0);
        }
        let _ = nix::unistd::setsid();
        let _ = nix::sys::signal::SigSet::all().thread_block();
        loop {
            nix::unistd::pause();
        }
    }
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => exit(work()),
    }
}
