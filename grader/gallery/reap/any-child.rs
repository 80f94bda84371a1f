//! Waits for any child, and takes the first one for the worker.
//! fails: reap::2

pub fn wait_for(_worker: Pid) -> io::Result<Ending> {
    loop {
        match waitpid(None, None) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(status) => {
                if let Some(ending) = decode(status) {
                    return Ok(ending);
                }
            }
        }
    }
}
