//! Heavy work, and the place where it runs.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lab::say;
use nix::time::{ClockId, clock_gettime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// The place where heavy work runs.
#[derive(Clone)]
pub enum Heavy {
    /// On the thread of the event loop: everything else on that thread waits.
    OnLoop,
    /// On a thread of a pool, as many at a time as the semaphore has permits.
    InPool(Arc<Semaphore>),
    /// On a thread of its own for each request, up to Tokio's limit of 512.
    Unbounded,
}

/// Computations of this process: that run now, the most that ever ran at the same time, and that have
/// ended.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);

impl Heavy {
    /// A pool of `threads`.
    pub fn pool(threads: usize) -> Self {
        Self::InPool(Arc::new(Semaphore::new(threads)))
    }

    /// Computes for `time` of CPU time.
    pub async fn compute(&self, time: Duration) {
        match self {
            Self::OnLoop => compute(time),
            Self::Unbounded => in_thread(time, None).await,
            Self::InPool(permits) => {
                // Requests wait here, and the loop is free.
                let permit = Arc::clone(permits).acquire_owned().await;
                in_thread(time, permit.ok()).await;
            }
        }
    }
}

/// The most computations that have run in this process at the same time.
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}

/// The computations that have ended in this process.
pub fn done() -> usize {
    DONE.load(Ordering::Relaxed)
}

/// The permit goes with the computation, which goes on if the client hangs up and the request is dropped.
async fn in_thread(time: Duration, permit: Option<OwnedSemaphorePermit>) {
    let work = move || {
        compute(time);
        drop(permit);
    };
    spawn_blocking(work).await.expect("it only computes");
}

fn compute(time: Duration) {
    let running = RUNNING.fetch_add(1, Ordering::Relaxed) + 1;
    MOST.fetch_max(running, Ordering::Relaxed);
    say!("worker: begins a computation of {} ms", time.as_millis());
    work(time);
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    DONE.fetch_add(1, Ordering::Relaxed);
}

/// Computes for `time` of this thread's CPU time; returns 1, the number of computations.
pub fn work(time: Duration) -> f64 {
    let begin = thread_time();
    let mut number = 1_u64;
    while thread_time().saturating_sub(begin) < time {
        for round in 0..10_000 {
            number = black_box(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round);
        }
    }
    1.0
}

/// The CPU time of this thread.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .expect("every thread has it")
}
