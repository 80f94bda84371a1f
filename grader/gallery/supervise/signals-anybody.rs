//! The signal is sent before the pid is looked up in the list.
//! fails: supervise::4

pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
    kill(worker, Signal::SIGTERM)?;
    let life = self.workers.get_mut(&worker).ok_or(io::ErrorKind::NotFound)?;
    life.asked_to_stop = true;
    Ok(())
}
