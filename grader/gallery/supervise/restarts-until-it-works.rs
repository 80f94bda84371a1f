//! The worker that could not start is started again at once, in a loop, until it works.
//! fails: supervise::3

    pub fn tend(&mut self) -> io::Result<Vec<(Pid, Next)>> {
        let mut decided = Vec::new();
        loop {
            let status = waitpid(None, Some(WaitPidFlag::WNOHANG));
            self.hear()?;
            match status.ok().and_then(|status| status.pid()) {
                None if self.workers.values().any(|life| !life.was_ready) => {}
                None => return Ok(decided),
                Some(pid) => {
                    let life = self.workers.remove(&pid).unwrap_or_default();
                    if !life.told_to_stop {
                        self.start()?;
                    }
                    decided.push((pid, decide(life, 0, self.limit)));
                }
            }
        }
    }
