//! The answer has arrived, so the worker is forgotten.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (_, mut reader) = fork_with_pipe(work)?;
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    Ok(answer)
}
