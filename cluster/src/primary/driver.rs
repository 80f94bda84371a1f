//! The one loop. It owns all state of the primary; all other threads send it messages.

use std::collections::{BTreeMap, HashMap};
use std::io::{PipeReader, PipeWriter};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tracing::{info, warn};

use super::actions::Drain;
use super::courier::News;
use super::events::{Event, Sink};
use super::peer::Peer;
use super::ports::{Arrived, Ports};
use super::signals::{Request, Signals};
use super::tally::Tally;
use super::{Command, Reply, memory};
use crate::config::Config;
use crate::listener::systemd;
use crate::metrics::Totals;
use crate::shared::Block;
use crate::spawn::{Image, Program};
use crate::supervisor::{
    Generation, Input, Refusal, RequestId, ScaleTo, Supervisor, Time, WorkerId, WorkerState,
};
use crate::{Error, Result, admin};

/// The time between two attempts to open the ports after an outage.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The time after which the loop looks again if there is nothing to do: tomorrow.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// All state of the primary.
pub(super) struct Driver {
    pub(super) config: Arc<Config>,
    pub(super) supervisor: Supervisor,
    pub(super) started: Instant,
    pub(super) program: Program,
    pub(super) versions: BTreeMap<Generation, Version>,
    pub(super) peers: BTreeMap<WorkerId, Peer>,
    /// The end of a pipe that each worker holds, and the end that we hold as long as we live.
    pub(super) lifeline: PipeReader,
    pub(super) _alive: PipeWriter,
    pub(super) ports: Ports,
    /// The memory that every worker maps as well.
    pub(super) shared: Option<Block>,
    pub(super) addresses: Arc<[String]>,
    pub(super) events: Sink,
    pub(super) tally: Tally,
    pub(super) totals: Totals,
    pub(super) replies: HashMap<RequestId, Reply>,
    pub(super) next_request: u64,
    pub(super) next_generation: u64,
    pub(super) next_question: u64,
    pub(super) to_loop: mpsc::Sender<Command>,
    pub(super) deliver: mpsc::Sender<(WorkerId, News)>,
    /// Workers to drain as soon as they have been given their connections.
    pub(super) drains: Vec<Drain>,
    /// A worker has reached the program's own code, so it is known that workers can be started.
    pub(super) has_begun: bool,
    /// A signal requested a reload while one was under way. Its sender cannot be asked to try again
    /// later.
    pub(super) reload_again: bool,
    /// Workers that are ready while the ports cannot be opened.
    pub(super) unadmitted: Vec<WorkerId>,
    /// The reason why the cluster is stopping, if it could not be started.
    pub(super) fatal: Option<Error>,
    pub(super) finished: bool,
    /// Dropped last: it waits a moment for its answers.
    pub(super) admin: Option<admin::Server>,
}

/// A version of the program, with the settings that were read when it was opened.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) image: Image,
    pub(super) config: Arc<Config>,
}

/// The sources of inputs.
pub(super) struct Sources {
    pub(super) signals: Signals,
    pub(super) news: mpsc::Receiver<(WorkerId, News)>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) watchdog: Watchdog,
}

/// The watchdog of systemd, which expects a sign of life from the loop once per period.
pub(super) struct Watchdog {
    period: Option<Duration>,
    last: Instant,
}

impl Watchdog {
    pub(super) fn new(period: Option<Duration>) -> Self {
        Self { period, last: Instant::now() }
    }

    /// Waits until the next sign of life is due.
    pub(super) async fn next(&mut self) {
        match self.period {
            Some(period) => sleep_until((self.last + period).into()).await,
            None => std::future::pending().await,
        }
        self.last = Instant::now();
    }
}

impl Driver {
    /// Runs until the cluster has stopped.
    pub(super) async fn run(&mut self, sources: &mut Sources) -> Result<()> {
        let (mut looked, mut logged) = (Instant::now(), Instant::now());
        let mut tried = Instant::now();
        let first = self.supervisor.start(self.now());
        self.perform(first);
        self.end_if_fatal();
        while !self.finished {
            // Looked up each time: a reload may have changed them.
            let (wake, log_stats) = (self.next_wake(), self.config.log_stats);
            tokio::select! {
                request = sources.signals.next() => self.operator(request),
                Some((worker, news)) = sources.news.recv() => self.news(worker, news),
                Some(command) = sources.commands.recv() => self.command(command),
                arrived = self.ports.next() => self.arrived(arrived),
                () = sleep_until(wake.into()) => self.tick(&mut sources.news),
                () = sleep_until((looked + self.config.health_check_interval).into()) => {
                    looked = Instant::now();
                    self.look_around();
                }
                () = sources.watchdog.next() => systemd::notify_alive(),
                () = sleep_until((tried + TRY_AGAIN).into()), if !self.unadmitted.is_empty() => {
                    tried = Instant::now();
                    self.accept_unadmitted();
                }
                () = sleep_until((logged + log_stats.unwrap_or(NEVER)).into()), if log_stats.is_some() => {
                    logged = Instant::now();
                    self.log_stats();
                }
            }
        }
        if let Some(error) = self.fatal.take() {
            return Err(error);
        }
        info!("all workers are gone, goodbye");
        Ok(())
    }

    /// A timer is due. Messages that have already arrived are on time, so they come first.
    fn tick(&mut self, news: &mut mpsc::Receiver<(WorkerId, News)>) {
        for _ in 0..news.len() {
            if let Ok((worker, news)) = news.try_recv() {
                self.news(worker, news);
            }
        }
        self.feed(Input::Tick);
    }

    fn arrived(&mut self, arrived: Arrived) {
        for (worker, why) in self.ports.handle(arrived) {
            self.feed(Input::Broken(worker, why));
        }
        if !self.drains.is_empty() {
            self.drain(false);
        }
    }

    /// Passes an input to the supervisor, and performs its actions.
    pub(super) fn feed(&mut self, input: Input) {
        let actions = self.supervisor.step(self.now(), input);
        self.perform(actions);
        self.end_if_fatal();
        if self.supervisor.reloading().is_none() && std::mem::take(&mut self.reload_again) {
            self.reload(None); // during a stop it is refused
        }
    }

    fn end_if_fatal(&mut self) {
        if self.fatal.is_some() && !self.supervisor.stopping() {
            self.feed(Input::StopNow);
        }
    }

    pub(super) fn now(&self) -> Time {
        Time(self.started.elapsed())
    }

    fn next_wake(&self) -> Instant {
        self.supervisor.next_wake().map_or(Instant::now() + NEVER, |time| self.started + time.0)
    }

    fn operator(&mut self, request: Request) {
        match request {
            Request::Stop => self.feed(Input::Stop),
            Request::StopNow => self.feed(Input::StopNow),
            Request::Reload if self.supervisor.reloading().is_some() => {
                info!("a reload is under way; another one follows it");
                self.reload_again = true;
            }
            Request::Reload => self.reload(None),
            Request::OneMore => self.scale(ScaleTo::Up, None),
            Request::OneLess => self.scale(ScaleTo::Down, None),
        }
    }

    /// The checks that are made from time to time.
    fn look_around(&mut self) {
        self.look_at_memory();
        self.renew_files();
    }

    /// Recreates sockets whose files were removed.
    fn renew_files(&mut self) {
        self.ports.renew();
        if let Some(admin) = &mut self.admin {
            admin.renew();
        }
    }

    /// Opens the program and reads the settings again, then reloads.
    pub(super) fn reload(&mut self, reply: Option<Reply>) {
        self.renew_files();
        let opened = self.program.open().and_then(|image| {
            let config = Arc::new(self.config.reread()?);
            Ok(Version { image, config })
        });
        match opened {
            Ok(version) => {
                self.adopt(&version);
                self.next_generation += 1;
                let generation = Generation(self.next_generation);
                self.versions.insert(generation, version);
                let request = self.request(reply);
                if self.supervisor.reloading().is_some() {
                    self.reload_refused(&Refusal("a reload is under way".to_owned()));
                }
                self.feed(Input::Reload { request, generation });
            }
            Err(error) => {
                self.tally.last_reload_error = Some(error.to_string());
                warn!("the reload was not started, nothing has changed: {error}");
                let why = Refusal(error.to_string());
                self.reload_refused(&why);
                self.events.put(Event::ReloadRefused(why.clone()));
                if let Some(reply) = reply {
                    let _ = reply.send(Err(why)); // the caller may have given up
                }
            }
        }
    }

    pub(super) fn scale(&mut self, to: ScaleTo, reply: Option<Reply>) {
        let request = self.request(reply);
        self.feed(Input::Scale { request, to });
    }

    /// The settings that were read with this version apply from now on, even if the reload fails
    /// later, unless the reload is refused at once because another one is running or the cluster is
    /// stopping.
    fn adopt(&mut self, version: &Version) {
        if self.supervisor.reloading().is_none() && !self.supervisor.stopping() {
            self.config = Arc::clone(&version.config);
            self.supervisor.set_policy(self.config.policy.clone());
        }
    }

    /// Remembers the recipient of an answer.
    pub(super) fn request(&mut self, reply: Option<Reply>) -> RequestId {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        if let Some(reply) = reply {
            self.replies.insert(request, reply);
        }
        request
    }

    fn look_at_memory(&mut self) {
        if self.config.policy.memory_limit.is_none() {
            return;
        }
        let seen = |(worker, peer): (&WorkerId, &Peer)| {
            memory::resident(peer.pid).map(|bytes| Input::Memory(*worker, bytes))
        };
        let seen: Vec<Input> = self.peers.iter().filter_map(seen).collect();
        for input in seen {
            self.feed(input);
        }
    }

    fn log_stats(&self) {
        let stats = self.stats();
        info!(
            workers = stats.cluster.active_workers,
            healthy = stats.cluster.healthy_workers,
            requests = stats.primary.total_requests,
            restarts = stats.primary.total_restarts,
            crashes = stats.primary.total_crashes,
            "cluster stats"
        );
    }

    pub(super) fn ready_workers(&self) -> impl Iterator<Item = WorkerId> + '_ {
        let workers = self.supervisor.workers(self.now());
        workers.filter(|worker| worker.state == WorkerState::Ready).map(|worker| worker.id)
    }
}
