//! A worker that was asked to stop resets the count, like any other that was ready.
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
        self.early_deaths = if life.was_ready { 0 } else { self.early_deaths + 1 };
        let next = decide(life, self.early_deaths, self.limit);
        if next == Next::Replace {
            self.start()?;
        }
        decided.push((pid, next));
    }
    Ok(decided)
}
