//! Deaths are judged before the messages of the workers are read.
//! fails: supervise::3

pub fn tend(&mut self) -> io::Result<Vec<(Pid, Next)>> {
    let mut decided = Vec::new();
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        let Some(pid) = status.pid() else { break };
        let life = self.workers.remove(&pid).unwrap_or_default();
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
