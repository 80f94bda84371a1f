//! The answer is there, so nobody thinks of the worker any more.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (_, mut reader) = fork_with_pipe(work)?;
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    Ok(answer)
}
