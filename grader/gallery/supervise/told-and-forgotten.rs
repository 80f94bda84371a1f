//! All are told to stop, and nobody waits for them.
//! fails: supervise::5
//! race: who has got how far

    pub fn stop(&mut self) -> io::Result<()> {
        for worker in self.workers.keys() {
            kill(*worker, Signal::SIGTERM)?;
        }
        self.workers.clear();
        Ok(())
    }
