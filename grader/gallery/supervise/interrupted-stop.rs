//! EINTR ends the wait, and the worker stays a zombie.
//! fails: supervise::5
//! race: how far each process has got

pub fn stop(&mut self) -> io::Result<()> {
    for worker in self.workers.keys() {
        kill(*worker, Signal::SIGTERM)?;
    }
    while let Some((worker, _)) = self.workers.pop_first() {
        let _ = waitpid(worker, None);
    }
    Ok(())
}
