//! `exit` is after the `match`, so both processes get there.
//! fails: spawn::1 spawn::2 spawn::3 spawn::4

pub fn fork_worker(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    let mut code = 0;
    match fork()? {
        ForkResult::Parent { .. } => println!("the worker is forked"),
        ForkResult::Child => code = work(),
    }
    exit(code)
}
