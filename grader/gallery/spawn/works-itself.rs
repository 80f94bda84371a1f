//! The work is called before the fork.
//! fails: spawn::1 spawn::2 spawn::3 spawn::4

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    let code = work();
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => exit(code),
    }
}
