//! SIGTERM is sent, but the intent is not written down.
//! fails: supervise::4

pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
    if !self.workers.contains_key(&worker) {
        return Err(io::ErrorKind::NotFound.into());
    }
    kill(worker, Signal::SIGTERM)?;
    Ok(())
}
