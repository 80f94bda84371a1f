//! All are asked to stop, but the function does not wait for any of them.
//! fails: supervise::5
//! race: how far each process has got

pub fn stop(&mut self) -> io::Result<()> {
    for worker in self.workers.keys() {
        kill(*worker, Signal::SIGTERM)?;
    }
    self.workers.clear();
    Ok(())
}
