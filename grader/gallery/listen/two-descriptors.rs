//! The socket is cloned for the program, and neither the clone nor the original has the mark.
//! fails: listen::4

pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let copy = nix::unistd::dup(listener).expect("a descriptor");
            let _ = fcntl(listener.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()));
            let error = program.env(LISTEN_FD, copy.as_raw_fd().to_string()).exec();
            eprintln!("cannot start it: {error}");
            exit(127)
        }
    }
}
