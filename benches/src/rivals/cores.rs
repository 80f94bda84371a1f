//! The cores that this process may use, and threads pinned to one of them.

use cluster::Result;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The calling thread.
const THIS_THREAD: Pid = Pid::from_raw(0);

/// The numbers of the cores that the calling thread may run on.
///
/// # Errors
/// The kernel does not list them.
pub fn cores() -> Result<Vec<usize>> {
    let set = sched_getaffinity(THIS_THREAD)?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

/// Pins the calling thread to one of `cores`; the threads that it starts inherit that.
pub fn pin(cores: &[usize], worker: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cores[worker % cores.len()])?;
    Ok(sched_setaffinity(THIS_THREAD, &set)?)
}
