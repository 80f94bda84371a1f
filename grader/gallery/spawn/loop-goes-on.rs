//! The child stays in the loop of its parent, and forks workers of its own.
//! fails: spawn::2
//! race: how far each process has got

pub fn fork_workers(count: usize, work: impl Fn(usize) -> i32) -> io::Result<Vec<Pid>> {
    let mut workers = Vec::new();
    for number in 0..count {
        match fork()? {
            ForkResult::Parent { child } => workers.push(child),
            ForkResult::Child => {
                work(number);
            }
        }
    }
    Ok(workers)
}
