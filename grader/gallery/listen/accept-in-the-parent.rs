//! The parent accepts, and forks a child for each connection.
//! fails: listen::2 listen::3

pub fn start_worker(listener: &TcpListener, answer: impl Fn(TcpStream)) -> io::Result<Pid> {
    loop {
        let (client, _) = listener.accept()?;
        match fork()? {
            ForkResult::Parent { child } => eprintln!("worker {child} has a client"),
            ForkResult::Child => {
                answer(client);
                exit(0)
            }
        }
    }
}
