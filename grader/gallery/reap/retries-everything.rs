//! The call is repeated after every error, even one that will never go away.
//! fails: reap::2

pub fn wait_for(worker: Pid) -> io::Result<Ending> {
    loop {
        if let Ok(status) = waitpid(worker, None)
            && let Some(ending) = decode(status)
        {
            return Ok(ending);
        }
    }
}
