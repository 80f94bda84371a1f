//! All processes accept, the primary as well.
//! fails: listen::2 listen::3

pub fn start_worker(listener: &TcpListener, answer: impl Fn(TcpStream)) -> io::Result<Pid> {
    let _ = fork()?;
    loop {
        let (client, _) = listener.accept()?;
        answer(client);
    }
}
