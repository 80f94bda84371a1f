//! Processor time and memory that a process has used.

use std::time::Duration;

use cluster::{Error, Result};
use lab::proc;

/// Processor time of all threads of all these processes.
pub fn cpu(pids: &[u32]) -> Result<Duration> {
    let pids: Vec<i32> = pids.iter().map(|pid| pid.cast_signed()).collect();
    proc::cpu(&pids).map_err(|error| Error::because("cannot read the processor time", error))
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
