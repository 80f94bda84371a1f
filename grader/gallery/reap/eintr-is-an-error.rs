//! EINTR is handed to the caller like any other error.
//! fails: reap::2

pub fn wait_for(worker: Pid) -> io::Result<Ending> {
    let status = waitpid(worker, None)?;
    decode(status).ok_or_else(|| io::Error::other("it has not ended"))
}
