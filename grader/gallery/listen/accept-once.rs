//! The worker answers one client, and exits.
//! fails: listen::2 listen::3

pub fn start_worker(listener: &TcpListener, answer: impl Fn(TcpStream)) -> io::Result<Pid> {
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let (client, _) = listener.accept()?;
            answer(client);
            exit(0)
        }
    }
}
