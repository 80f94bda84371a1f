//! SIGKILL follows SIGTERM without a pause: no worker can finish its request.
//! fails: reap::4

pub fn stop(workers: &[Pid], _grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
        kill(*worker, Signal::SIGKILL)?;
    }
    workers.iter().map(|worker| Ok((*worker, wait_for(*worker)?))).collect()
}
