//! One call of waitpid for each call of tend: the second death has to wait.
//! fails: supervise::3

pub fn tend(&mut self) -> io::Result<Vec<(Pid, Next)>> {
    let ended = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => None,
        Ok(status) => status.pid(),
        Err(error) => return Err(error.into()),
    };
    self.read_reports()?;
    let mut decided = Vec::new();
    for pid in ended {
        let Some(life) = self.workers.remove(&pid) else { continue };
        if !life.asked_to_stop {
            self.early_deaths = if life.was_ready { 0 } else { self.early_deaths + 1 };
        }
        let next = decide(life, self.early_deaths, self.limit);
        if next == Next::Replace {
            self.start()?;
        }
        decided.push((pid, next));
    }
    Ok(decided)
}
