//! In the child, the error of exec is returned to the caller.
//! fails: listen::4

pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            fcntl(listener.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
            Err(program.env(LISTEN_FD, listener.as_raw_fd().to_string()).exec())
        }
    }
}
