//! The worker always exits with 0, whatever its work returned.
//! fails: spawn::1 spawn::2

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            work();
            exit(0)
        }
    }
}
