//! There are three workers, but two of them do nothing.
//! fails: listen::3

pub fn start_workers(
    listener: &TcpListener,
    count: usize,
    answer: impl Fn(TcpStream),
) -> io::Result<Vec<Pid>> {
    let mut workers = vec![start_worker(listener, &answer)?];
    for _ in 1..count {
        match fork()? {
            ForkResult::Parent { child } => workers.push(child),
            ForkResult::Child => loop {
                nix::unistd::pause();
            },
        }
    }
    Ok(workers)
}
