//! The laboratory: a server under observation, clients that never retry, and a look into `/proc`.

mod h2;
mod load;
mod proc;
mod program;
mod service;
mod terminal;

pub use h2::{silent_h2, stuck_h2};
pub use lab::raw::{Client, Reply};
pub use load::{Kind, Load};
pub use proc::{
    children, cpu_ticks, descriptors, exists, gone, group, queued, resident, send, state, threads,
};
pub use program::{Conduct, Program, mine};
pub use service::{Service, Start};

use std::panic::{catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::Completion;

/// The variable that makes this binary the server.
pub const FIXTURE: &str = "CLUSTER_FIXTURE";

/// Held while a program is written, and while a process is started. A child has a copy of every
/// descriptor until its `exec`; a program that a process has open for writing cannot be run (ETXTBSY).
static FORKS: Mutex<()> = Mutex::new(());

fn without_forks() -> MutexGuard<'static, ()> {
    FORKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time that a test waits for a fact before it gives up. Only a defect makes it wait that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The reason why a scenario cannot be played on this machine.
struct Skip(String);

/// Leaves the scenario that this thread plays: it is reported as ignored, with the reason.
pub fn skip(reason: impl Into<String>) -> ! {
    resume_unwind(Box::new(Skip(reason.into())))
}

/// Plays a scenario.
pub fn attempt(scenario: impl FnOnce() + std::panic::UnwindSafe) -> Completion {
    match catch_unwind(scenario) {
        Ok(()) => Completion::Completed,
        Err(panic) => match panic.downcast::<Skip>() {
            Ok(skip) => Completion::ignored_with(skip.0),
            Err(panic) => resume_unwind(panic),
        },
    }
}

/// Waits until a fact can be observed, or fails with its name.
pub fn until<T>(fact: &str, mut observe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = observe() {
            return seen;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain: {fact}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
