//! The intent is written down, but no signal is sent to the worker.
//! fails: supervise::4 supervise::5

pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
    let life = self.workers.get_mut(&worker).ok_or(io::ErrorKind::NotFound)?;
    life.asked_to_stop = true;
    Ok(())
}
