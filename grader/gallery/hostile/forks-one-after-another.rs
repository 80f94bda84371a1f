//! A tight loop: one child at a time, forever.
//! exercise: supervise
//! fails: supervise::2 supervise::3 supervise::4 supervise::5
//! finding: storm

pub fn start(&mut self) -> io::Result<Pid> {
    loop {
        match fork()? {
            ForkResult::Child => exit(1),
            ForkResult::Parent { child } => waitpid(child, None)?,
        };
    }
}
