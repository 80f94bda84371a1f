//! SIGKILL is quicker.
//! fails: supervise::4

pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
    let life = self.workers.get_mut(&worker).ok_or(io::ErrorKind::NotFound)?;
    life.asked_to_stop = true;
    kill(worker, Signal::SIGKILL)?;
    Ok(())
}
