//! The parent waits for the worker's exit, and the worker for room in the pipe.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (worker, mut reader) = fork_with_pipe(work)?;
    waitpid(worker, None)?;
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    Ok(answer)
}
