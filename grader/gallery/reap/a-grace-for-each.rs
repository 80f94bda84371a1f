//! All get SIGTERM first, but each has a deadline of its own.
//! fails: reap::4

pub fn stop(workers: &[Pid], grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
    }
    let mut ended = Vec::new();
    for worker in workers {
        let deadline = Instant::now() + grace;
        let mut status = WaitStatus::StillAlive;
        while status == WaitStatus::StillAlive && Instant::now() < deadline {
            status = waitpid(*worker, Some(WaitPidFlag::WNOHANG))?;
            sleep(Duration::from_millis(1));
        }
        if decode(status).is_none() {
            kill(*worker, Signal::SIGKILL)?;
        }
        ended.push((*worker, decode(status).map_or_else(|| wait_for(*worker), Ok)?));
    }
    Ok(ended)
}
