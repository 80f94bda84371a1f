//! The worker is reaped, but its status is ignored.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (worker, mut reader) = fork_with_pipe(work)?;
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    waitpid(worker, None)?;
    Ok(answer)
}
