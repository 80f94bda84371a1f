//! ECHILD is handed to the caller: a primary without workers would end with an error.
//! fails: reap::3 reap::4

pub fn reap_ended() -> io::Result<Vec<(Pid, Ending)>> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG))? {
            WaitStatus::StillAlive => return Ok(ended),
            status => ended.extend(status.pid().zip(decode(status))),
        }
    }
}
