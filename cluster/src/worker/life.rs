//! The life of a worker, from its first message to its last.

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::boot::{self, Boot, Given, cannot_begin};
use super::director::Director;
use super::door::Doors;
use super::link::{self, Drain, Ears, Link};
use super::observe::Observed;
use super::{Inner, Worker};
use crate::channel::message::ToPrimary;
use crate::config::Config;
use crate::http::{Phase, Server};
use crate::metrics::Metrics;
use crate::supervisor::Vitals;
use crate::{Error, Result, log, runtime};

/// The time that the program may keep running after everything has been cut.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// The time that the last messages may take; the primary may be busy, or gone.
const FAREWELL: Duration = Duration::from_secs(1);

/// The interval at which a worker that answers requests reports to the primary. An idle worker reports
/// only at its heartbeats.
const REPORT: Duration = Duration::from_secs(1);

/// Runs `serve` as this worker.
pub(crate) fn run<S, F>(serve: S) -> Result<()>
where
    S: FnOnce(Worker) -> F,
    F: Future<Output = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>>,
{
    let Boot { channel, given } = boot::take()?;
    let name = format!("worker {}", given.hello.worker);
    // Until the program's own code runs, the primary reports a failure.
    let (_log, runtime, spare) = prepare(&channel, &given.hello.config)
        .unwrap_or_else(|error| cannot_begin(&channel, &error));
    let lived = runtime.block_on(async {
        let begun = begin(channel, given).unwrap_or_else(|error| cannot_begin(&spare, &error));
        drop(spare);
        live(begun, serve).await
    });
    runtime.shutdown_background(); // a task that is still computing has had its time
    lived.map_err(|error| Error::because(name, error))
}

/// Prepares a worker before it starts: its log, its runtime, and a way to report that it cannot
/// start once the channel belongs to the runtime.
fn prepare(
    channel: &UnixStream,
    config: &Config,
) -> Result<(Option<log::Writer>, Runtime, UnixStream)> {
    let log = log::install(config.log)?;
    Ok((log, runtime::start(config.worker_threads)?, channel.try_clone()?))
}

async fn live<S, F>((worker, phase): (Worker, watch::Receiver<Phase>), serve: S) -> Result<()>
where
    S: FnOnce(Worker) -> F,
    F: Future<Output = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>>,
{
    worker.0.link.send(&ToPrimary::Online).await?;
    worker.0.link.send(&ToPrimary::WaitsFor(worker.0.doors.names())).await?;
    tokio::spawn(report(worker.clone()));
    let mut serving = std::pin::pin!(serve(worker.clone()));
    let outcome = tokio::select! {
        outcome = &mut serving => outcome,
        () = cut(phase) => timeout(LAST_MOMENT, serving).await.unwrap_or(Ok(())),
    };
    let _ = timeout(FAREWELL, worker.say_goodbye(outcome.is_ok())).await;
    outcome.map_err(|error| Error::because("failed", error))
}

async fn cut(mut phase: watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase == Phase::Cut).await;
}

/// Creates the worker, and starts the tasks that go with it.
fn begin(channel: UnixStream, given: Given) -> Result<(Worker, watch::Receiver<Phase>)> {
    let Given { hello, hand_off, listeners, shared } = given;
    channel.set_nonblocking(true)?;
    let (reading, writing) = tokio::net::UnixStream::from_std(channel)?.into_split();
    let link = Link::new(writing);
    let (phase_to, phase) = watch::channel(Phase::Serving);
    let (orders_to, orders) = mpsc::unbounded_channel();
    let (admitted_to, admitted) = watch::channel(false);
    let (messages, unread) = link::inbox();
    let ears = Ears { link: link.clone(), orders: orders_to, admitted: admitted_to, messages };
    tokio::spawn(listen(reading, ears));
    let by_itself = leaving(&hello.config);
    let limit = SignalKind::from_raw(Signal::SIGXCPU as i32);
    let signals = [signal(SignalKind::terminate())?, signal(limit)?];
    let director = Director { phase: phase_to, orders, signals, link: link.clone(), by_itself };
    tokio::spawn(director.run());
    let metrics = Metrics::default();
    let http = Server::new(hello.config.http, phase.clone(), Observed::new(&metrics));
    let doors =
        Doors::open(&hello.config, listeners, hand_off, http.clone(), phase.clone(), admitted)?;
    let messages = Mutex::new(Some(unread));
    let inner = Inner { hello, link, phase: phase.clone(), http, metrics, doors, messages, shared };
    Ok((Worker(Arc::new(inner)), phase))
}

fn leaving(config: &Config) -> Drain {
    let policy = &config.policy;
    Drain { window: policy.drain_window, deadline: policy.drain_timeout }
}

async fn listen(reading: tokio::net::unix::OwnedReadHalf, ears: Ears) {
    if let Err(error) = link::listen(reading, ears).await {
        tracing::error!("cannot read the primary's messages: {error}");
        std::process::exit(1); // it would not understand us either
    }
}

/// Reports the worker's vitals to the primary: at each heartbeat, and when they have changed.
async fn report(worker: Worker) {
    let heartbeat = worker.config().policy.heartbeat;
    let mut ticks = interval(heartbeat.map_or(REPORT, |heartbeat| heartbeat.min(REPORT)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The delay of this task: every request waits just as long if the program blocks the thread.
    let lag = worker.metrics().gauge("event_loop_lag_milliseconds", &[]);
    let mut reported = Vitals::default();
    let mut last = tokio::time::Instant::now();
    loop {
        let planned = ticks.tick().await;
        lag.set(i64::try_from(planned.elapsed().as_millis()).unwrap_or(i64::MAX));
        let now = worker.vitals();
        let due = heartbeat.is_some_and(|heartbeat| last.elapsed() + heartbeat / 8 >= heartbeat);
        if due || now != reported {
            (reported, last) = (now, tokio::time::Instant::now());
            let _ = worker.beat().await;
        }
    }
}

impl Worker {
    fn vitals(&self) -> Vitals {
        let connections = u64::try_from(self.0.http.open()).unwrap_or(u64::MAX);
        Vitals { requests: self.0.http.requests(), connections }
    }

    async fn beat(&self) -> Result<()> {
        let (link, vitals) = (&self.0.link, self.vitals());
        let metrics = Some(Box::new(self.0.metrics.snapshot()));
        let Err(error) = link.send(&ToPrimary::Heartbeat(vitals, metrics)).await else {
            return Ok(());
        };
        // Long labels can make the metrics larger than a frame; silence would look like a hang.
        tracing::warn!("the metrics are not reported: {error}");
        link.send(&ToPrimary::Heartbeat(vitals, None)).await
    }

    /// Sends the last messages. They will arrive: everything that is in the channel when a process
    /// exits is read.
    async fn say_goodbye(&self, content: bool) {
        if content && *self.0.phase.borrow() == Phase::Serving {
            let _ = self.0.link.send(&ToPrimary::Leaving).await; // without an order, but not a crash
        }
        let _ = self.beat().await;
        self.0.link.flush().await;
    }
}
