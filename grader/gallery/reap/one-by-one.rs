//! Each worker is stopped, with its whole grace, before the next one gets SIGTERM.
//! fails: reap::4

pub fn stop(workers: &[Pid], grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    let mut ended = Vec::new();
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
        let deadline = Instant::now() + grace;
        let mut status = WaitStatus::StillAlive;
        while status == WaitStatus::StillAlive && Instant::now() < deadline {
            status = waitpid(*worker, Some(WaitPidFlag::WNOHANG))?;
            sleep(Duration::from_millis(1));
        }
        match decode(status) {
            Some(ending) => ended.push((*worker, ending)),
            None => {
                kill(*worker, Signal::SIGKILL)?;
                ended.push((*worker, wait_for(*worker)?));
            }
        }
    }
    Ok(ended)
}
