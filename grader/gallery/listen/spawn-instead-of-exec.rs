//! The child starts the program as a child of its own, and waits for it.
//! fails: listen::4

pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let _ = fcntl(listener.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()));
            let status = program.env(LISTEN_FD, listener.as_raw_fd().to_string()).status();
            exit(status.ok().and_then(|status| status.code()).unwrap_or(127))
        }
    }
}
