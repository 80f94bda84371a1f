//! The end of the workers when code in the primary panics.
//!
//! If the program's own code panics on the thread that watches, the loop is unaffected: the cluster
//! stops as if it had been asked to. After a panic in the loop itself (a strategy, or a defect of
//! this library), nothing can be decided any more; but the workers are known, and each of them can
//! finish on its own. Either way the exit code reports the panic to the parent, such as systemd.
//!
//! With `panic = "abort"` none of this runs: the workers die with their primary at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;
use tracing::error;

use super::courier::News;
use super::driver::{Driver, Sources};
use super::signals::Request;
use crate::channel::message::ToWorker;
use crate::listener::systemd;
use crate::supervisor::{self, Signal};
use crate::{Error, Result};

/// The time that the kernel is given to end killed processes.
const KILLED: Duration = Duration::from_secs(1);

/// Runs the loop, and after a panic in it lets the workers finish.
pub(super) async fn drive(mut driver: Driver, mut sources: Sources) -> Result<()> {
    match caught(driver.run(&mut sources)).await {
        Ok(outcome) => outcome,
        Err(error) => {
            error!("{error}; its workers are finishing their work");
            driver.see_out(&mut sources).await;
            Err(error)
        }
    }
}

/// Runs code of the program, and turns a panic into an error.
pub(super) fn attempt(program: impl FnOnce()) -> Result<()> {
    catch_unwind(AssertUnwindSafe(program)).map_err(panicked)
}

async fn caught<T>(future: impl Future<Output = T>) -> Result<T> {
    let mut future = pin!(future);
    let poll = std::future::poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panicked(panic))),
        }
    });
    poll.await
}

#[allow(clippy::needless_pass_by_value)] // it ends here
fn panicked(panic: Box<dyn Any + Send>) -> Error {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let why = text.unwrap_or_else(|| "without a message".to_owned());
    let why = why.replace('\n', " "); // it becomes part of one line
    Error::new(format!("code in the primary has panicked: {why}"))
}

impl Driver {
    /// Stops without the supervisor, whose state may be inconsistent: clients that are waiting in a
    /// queue are refused, the workers finish their work within the deadline of a stop, and a signal
    /// to the primary hurries them.
    async fn see_out(&mut self, sources: &mut Sources) {
        self.report(supervisor::Event::Stopping);
        let policy = self.config.policy.clone();
        let drain = ToWorker::Drain { window: Duration::ZERO, deadline: policy.shutdown_timeout };
        let workers: Vec<_> = self.peers.keys().copied().collect();
        self.ports.refuse(); // first: waiting connections must not be given to the strategy again
        for worker in workers {
            self.ports.draining(worker);
            self.control(worker, &drain);
        }
        self.wait_for_exits(sources, policy.shutdown_timeout).await;
        for peer in self.peers.values() {
            peer.signal(Signal::Kill);
        }
        self.wait_for_exits(sources, KILLED).await;
    }

    /// Waits until all workers are gone, the time is up, or an operator is impatient.
    async fn wait_for_exits(&mut self, sources: &mut Sources, limit: Duration) {
        let exits = async {
            while !self.peers.is_empty() {
                tokio::select! {
                    Some((worker, news)) = sources.news.recv() => {
                        if let News::Exited(exit) = news && let Some(peer) = self.peers.get(&worker) {
                            let uptime = peer.since.elapsed();
                            self.exited(worker, exit, true, uptime);
                        }
                    }
                    () = sources.watchdog.next() => systemd::notify_alive(),
                    request = sources.signals.next() => if request == Request::StopNow { return },
                }
            }
        };
        let _ = timeout(limit, exits).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        let said = |error: Error| error.to_string();
        let number = 7;
        assert!(said(attempt(|| panic!("plain")).unwrap_err()).ends_with("panicked: plain"));
        assert!(said(attempt(|| panic!("no. {number}")).unwrap_err()).ends_with("no. 7"));
        let odd = attempt(|| std::panic::panic_any(number)).unwrap_err();
        assert!(said(odd).ends_with("without a message"));
        attempt(|| ()).expect("nothing has happened");
    }
}
