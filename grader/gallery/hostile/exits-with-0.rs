//! Exit code 0 must not be taken for success.
//! exercise: spawn
//! fails: spawn::1 spawn::2 spawn::3 spawn::4
//! finding: exited

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    drop(work);
    exit(0)
}
