//! Processor time and memory that a process has used.

use std::fs;
use std::time::Duration;

use cluster::{Error, Result};
use lab::proc;

/// Processor time of all threads of all these processes, from `schedstat`, which counts nanoseconds.
/// The times in `stat` are in hundredths of a second, and an idle process uses less than one of them.
pub fn cpu(pids: &[u32]) -> Result<Duration> {
    pids.iter().map(|pid| of_one(*pid)).sum()
}

fn of_one(pid: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let line = fs::read_to_string(thread?.path().join("schedstat"))?;
        let ran = line.split(' ').next().and_then(|ran| ran.parse().ok());
        total += Duration::from_nanos(ran.ok_or_else(|| Error::new("no times in schedstat"))?);
    }
    Ok(total)
}

/// Memory of these processes and of this one together, in KiB (PSS). This one counts because it
/// has a part of the shared pages.
pub fn memory(pids: impl IntoIterator<Item = u32>) -> Result<f64> {
    let mut all = 0;
    for pid in pids.into_iter().chain([std::process::id()]) {
        let unread = |error| Error::because(format!("cannot weigh process {pid}"), error);
        all += proc::pss(pid.cast_signed()).map_err(unread)?;
    }
    #[allow(clippy::cast_precision_loss)] // kibibytes are not that many
    Ok((all / 1024) as f64)
}
