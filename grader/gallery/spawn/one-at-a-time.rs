//! Each worker is asked, and its answer read, before the next one is forked.
//! fails: spawn::4

pub fn ask_workers(count: usize, work: impl Fn(usize) -> String) -> io::Result<Vec<String>> {
    (0..count).map(|number| ask_worker(|| work(number))).collect()
}
