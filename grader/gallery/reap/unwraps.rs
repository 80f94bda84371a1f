//! Surely, ECHILD cannot happen.
//! fails: reap::3 reap::4

pub fn reap_ended() -> io::Result<Vec<(Pid, Ending)>> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)).unwrap() {
            WaitStatus::StillAlive => return Ok(ended),
            status => ended.extend(status.pid().zip(decode(status))),
        }
    }
}
