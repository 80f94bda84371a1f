//! The function waits for each worker before it signals the next one.
//! fails: supervise::5

pub fn stop(&mut self) -> io::Result<()> {
    while let Some((worker, _)) = self.workers.pop_first() {
        kill(worker, Signal::SIGTERM)?;
        while waitpid(worker, None) == Err(Errno::EINTR) {}
    }
    Ok(())
}
