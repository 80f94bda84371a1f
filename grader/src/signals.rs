//! Signals that a check uses: a worker that waits for one, and a wait that is interrupted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use nix::libc::c_int;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::Pid;

use crate::proc;

/// For a worker: a signal that no longer kills it, and that it can wait for.
#[derive(Debug)]
pub struct Blocked(SigSet);

impl Blocked {
    /// From now on `signal` stays pending until the worker waits for it.
    #[must_use]
    pub fn new(signal: Signal) -> Self {
        let set = SigSet::from(signal);
        let _ = set.thread_block();
        Self(set)
    }

    /// Waits for it.
    pub fn wait(&self) {
        while self.0.wait().is_err() {}
    }
}

/// Counts the interruptions of this process by SIGUSR1. A system call that waits is not restarted
/// after one: it fails with EINTR.
#[derive(Debug)]
pub struct Interruptions(());

static SEEN: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: c_int) {
    SEEN.fetch_add(1, Ordering::Relaxed);
}

impl Interruptions {
    /// Starts counting.
    #[must_use]
    #[allow(unsafe_code)]
    pub fn count() -> Self {
        let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler touches nothing but an atomic.
        let _ = unsafe { sigaction(Signal::SIGUSR1, &action) };
        Self(())
    }

    /// The number of interruptions.
    #[must_use]
    pub fn seen(&self) -> usize {
        SEEN.load(Ordering::Relaxed)
    }
}

/// In a worker: waits until `parent` is sleeping, interrupts it, and waits until it is sleeping
/// again. If the parent never sleeps, it cannot be interrupted, and the worker continues.
pub fn interrupt_parent(parent: Pid) {
    let parent = parent.as_raw();
    let before = once_asleep(parent, 0);
    let _ = kill(Pid::from_raw(parent), Signal::SIGUSR1);
    once_asleep(parent, before + 1);
}

/// Waits until `pid` is sleeping and has been switched off a core at least `switches` times.
fn once_asleep(pid: i32, switches: u64) -> u64 {
    const LOOKS: usize = 300;
    for _ in 0..LOOKS {
        let now = proc::switches(pid);
        if now >= switches && proc::state(pid) == Some('S') {
            return now;
        }
        sleep(Duration::from_millis(1));
    }
    switches
}
