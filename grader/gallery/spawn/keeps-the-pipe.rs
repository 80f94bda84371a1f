//! A copy of the reader is forgotten, with its descriptor.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (worker, reader) = fork_with_pipe(work)?;
    std::mem::forget(reader.try_clone()?);
    read_answer(worker, reader)
}
