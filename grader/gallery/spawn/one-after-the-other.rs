//! The function waits for each worker before it forks the next one.
//! fails: spawn::2

pub fn fork_workers(count: usize, work: impl Fn(usize) -> i32) -> io::Result<Vec<Pid>> {
    let mut workers = Vec::new();
    for number in 0..count {
        let worker = fork_worker(|| work(number))?;
        waitpid(worker, None)?;
        workers.push(worker);
    }
    Ok(workers)
}
