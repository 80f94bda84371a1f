//! One read is taken for the whole answer.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (worker, mut reader) = fork_with_pipe(work)?;
    let mut answer = vec![0; 1 << 20];
    let count = reader.read(&mut answer)?;
    drop(reader);
    waitpid(worker, None)?;
    Ok(String::from_utf8_lossy(&answer[..count]).into_owned())
}
