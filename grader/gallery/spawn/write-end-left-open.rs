//! The parent reads to the end of a pipe whose write end it still holds.
//! fails: spawn::3

pub fn ask_worker(work: impl FnOnce() -> String) -> io::Result<String> {
    let (mut reader, mut writer) = io::pipe()?;
    match fork()? {
        ForkResult::Child => {
            writer.write_all(work().as_bytes())?;
            exit(0)
        }
        ForkResult::Parent { child } => {
            let mut answer = String::new();
            reader.read_to_string(&mut answer)?;
            waitpid(child, None)?;
            Ok(answer)
        }
    }
}
