//! SIGTERM is a request, and one worker ignores it.
//! fails: reap::4

pub fn stop(workers: &[Pid], _grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
    }
    workers.iter().map(|worker| Ok((*worker, wait_for(*worker)?))).collect()
}
