//! The rule is called, but its answer is ignored.
//! fails: supervise::3

pub fn tend(&mut self) -> io::Result<Vec<(Pid, Next)>> {
    let mut ended = Vec::new();
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        let Some(pid) = status.pid() else { break };
        ended.push(pid);
    }
    self.read_reports()?;
    let mut decided = Vec::new();
    for pid in ended {
        let life = self.workers.remove(&pid).unwrap_or_default();
        if !life.asked_to_stop {
            self.early_deaths = if life.was_ready { 0 } else { self.early_deaths + 1 };
        }
        decided.push((pid, decide(life, self.early_deaths, self.limit)));
    }
    Ok(decided)
}
