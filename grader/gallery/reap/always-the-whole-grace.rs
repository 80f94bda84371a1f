//! The function sleeps for the whole grace, even if all workers have ended long before.
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
            ended.push((*worker, wait_for(*worker)?));
        }
    }
    Ok(ended)
}
