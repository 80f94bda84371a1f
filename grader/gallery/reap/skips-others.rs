//! Waits for any child, and throws away the status of the others.
//! fails: reap::2

pub fn wait_for(worker: Pid) -> io::Result<Ending> {
    loop {
        match waitpid(None, None) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(status) if status.pid() == Some(worker) => {
                return decode(status).ok_or_else(|| io::Error::other("it has not ended"));
            }
            Ok(_) => {}
        }
    }
}
