//! SIGTERM is sent, and nobody writes down that it was wanted.
//! fails: supervise::4

    pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
        if !self.workers.contains_key(&worker) {
            return Err(io::ErrorKind::NotFound.into());
        }
        kill(worker, Signal::SIGTERM)?;
        Ok(())
    }
