//! One call of waitpid, because there was one SIGCHLD.
//! fails: reap::3

pub fn reap_ended() -> io::Result<Vec<(Pid, Ending)>> {
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => Ok(Vec::new()),
        Ok(status) => Ok(status.pid().zip(decode(status)).into_iter().collect()),
        Err(error) => Err(error.into()),
    }
}
