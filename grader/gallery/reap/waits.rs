//! Without WNOHANG the loop waits for the worker that is still running.
//! fails: reap::3 reap::4

pub fn reap_ended() -> io::Result<Vec<(Pid, Ending)>> {
    let mut ended = Vec::new();
    loop {
        match waitpid(None, None) {
            Err(Errno::ECHILD) => return Ok(ended),
            Ok(status) => ended.extend(status.pid().zip(decode(status))),
            Err(error) => return Err(error.into()),
        }
    }
}
