//! The descriptor is close-on-exec, like everything that Rust opens.
//! fails: listen::4

pub fn exec_worker(listener: &TcpListener, program: &mut Command) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let error = program.env(LISTEN_FD, listener.as_raw_fd().to_string()).exec();
            eprintln!("cannot start it: {error}");
            exit(127)
        }
    }
}
