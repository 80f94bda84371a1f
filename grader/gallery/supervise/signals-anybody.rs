//! The signal is sent before anybody looks whose pid it is.
//! fails: supervise::4

    pub fn retire(&mut self, worker: Pid) -> io::Result<()> {
        kill(worker, Signal::SIGTERM)?;
        let life = self.workers.get_mut(&worker).ok_or(io::ErrorKind::NotFound)?;
        life.told_to_stop = true;
        Ok(())
    }
