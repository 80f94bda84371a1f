//! After SIGKILL everybody is surely dead, so nobody is waited for any more.
//! fails: reap::4

pub fn stop(workers: &[Pid], grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
    }
    sleep(grace);
    let mut ended = reap_ended()?;
    for worker in workers {
        if ended.iter().all(|(pid, _)| pid != worker) {
            kill(*worker, Signal::SIGKILL)?;
            ended.push((*worker, Ending::Signal(Signal::SIGKILL)));
        }
    }
    Ok(ended)
}
