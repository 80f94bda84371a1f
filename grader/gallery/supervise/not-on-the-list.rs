//! The worker is forked, but not put on the list.
//! fails: supervise::2 supervise::3 supervise::4 supervise::5

pub fn start(&mut self) -> io::Result<Pid> {
    let ready = Ready(self.words.1.try_clone()?);
    match fork()? {
        ForkResult::Child => exit((self.work)(ready)),
        ForkResult::Parent { child } => Ok(child),
    }
}
