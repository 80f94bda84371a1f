//! All pipes are made before the first fork, so each worker holds the write ends of the others.
//! fails: spawn::4

pub fn ask_workers(count: usize, work: impl Fn(usize) -> String) -> io::Result<Vec<String>> {
    let pipes: Vec<_> = (0..count).map(|_| io::pipe()).collect::<io::Result<_>>()?;
    let mut workers = Vec::new();
    for number in 0..count {
        workers.push(fork_worker(|| {
            let mut writer = &pipes[number].1;
            let _ = writer.write_all(work(number).as_bytes());
            0
        })?);
    }
    let mut answers = Vec::new();
    for (worker, (mut reader, writer)) in workers.into_iter().zip(pipes) {
        drop(writer);
        let mut answer = String::new();
        reader.read_to_string(&mut answer)?;
        waitpid(worker, None)?;
        answers.push(answer);
    }
    Ok(answers)
}
