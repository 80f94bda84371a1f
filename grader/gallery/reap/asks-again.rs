//! SIGTERM is repeated in each round of the loop.
//! fails: reap::4

pub fn stop(workers: &[Pid], grace: Duration) -> io::Result<Vec<(Pid, Ending)>> {
    let deadline = Instant::now() + grace;
    let mut ended: Vec<(Pid, Ending)> = Vec::new();
    while ended.len() < workers.len() {
        let signal =
            if Instant::now() < deadline { Signal::SIGTERM } else { Signal::SIGKILL };
        for worker in workers {
            if ended.iter().all(|(pid, _)| pid != worker) {
                kill(*worker, signal)?;
            }
        }
        sleep(Duration::from_millis(10));
        ended.extend(reap_ended()?);
    }
    Ok(ended)
}
