//! A program that cannot be started ends like a worker that has failed.
//! fails: listen::4

pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let _ = fcntl(listener.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()));
            let error = program.env(LISTEN_FD, listener.as_raw_fd().to_string()).exec();
            panic!("cannot start it: {error}");
        }
    }
}
