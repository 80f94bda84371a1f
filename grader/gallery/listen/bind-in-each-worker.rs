//! The worker makes a socket of its own for an address that already has one.
//! fails: listen::2 listen::3

pub fn start_worker(listener: &TcpListener, answer: impl Fn(TcpStream)) -> io::Result<Pid> {
    let address = listener.local_addr()?;
    match fork()? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => match TcpListener::bind(address) {
            Ok(own) => loop {
                if let Ok((client, _)) = own.accept() {
                    answer(client);
                }
            },
            Err(error) => {
                eprintln!("the worker cannot bind {address}: {error}");
                exit(1)
            }
        },
    }
}
