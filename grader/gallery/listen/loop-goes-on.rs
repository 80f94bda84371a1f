//! Each child forks the rest of the workers before it accepts.
//! fails: listen::3
//! race: how far each process has got

pub fn start_workers(
    listener: &TcpListener,
    count: usize,
    answer: impl Fn(TcpStream),
) -> io::Result<Vec<Pid>> {
    let (mut workers, mut is_worker) = (Vec::new(), false);
    for _ in 0..count {
        match fork()? {
            ForkResult::Parent { child } => workers.push(child),
            ForkResult::Child => is_worker = true,
        }
    }
    while is_worker {
        let (client, _) = listener.accept()?;
        answer(client);
    }
    Ok(workers)
}
