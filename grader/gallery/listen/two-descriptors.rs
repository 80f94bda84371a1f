//! The socket is cloned for the program, and the clone has no mark, but nor has the original.
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
