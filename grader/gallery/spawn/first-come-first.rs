//! The answers are kept in the order in which the workers end.
//! fails: spawn::4

pub fn ask_workers(count: usize, work: impl Fn(usize) -> String) -> io::Result<Vec<String>> {
    let mut workers: Vec<(Pid, PipeReader)> =
        (0..count).map(|number| fork_with_pipe(|| work(number))).collect::<io::Result<_>>()?;
    let mut answers = Vec::new();
    while let Some((worker, reader)) = workers.pop() {
        answers.push(read_answer(worker, reader));
    }
    answers.into_iter().collect()
}
