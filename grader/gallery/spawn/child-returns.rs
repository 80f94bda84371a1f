//! The child does its work, and then returns from the function like its parent.
//! fails: spawn::1 spawn::2 spawn::3 spawn::4

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            work();
            Ok(getpid())
        }
    }
}

use nix::unistd::getpid;
