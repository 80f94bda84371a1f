//! The mark is removed before the fork, and stays removed in the primary.
//! fails: listen::4

pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    fcntl(listener.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let error = program.env(LISTEN_FD, listener.as_raw_fd().to_string()).exec();
            eprintln!("cannot start it: {error}");
            exit(127)
        }
    }
}
