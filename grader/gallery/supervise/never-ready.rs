//! The worker gets a pipe of its own, which the supervisor does not read.
//! fails: supervise::2 supervise::3

pub fn start(&mut self) -> io::Result<Pid> {
    let (_, writer) = io::pipe()?;
    match fork()? {
        ForkResult::Child => exit((self.work)(Ready(writer))),
        ForkResult::Parent { child } => {
            self.workers.insert(child, Life::default());
            Ok(child)
        }
    }
}
