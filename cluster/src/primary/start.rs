//! Starts a primary from its settings, and runs it until it has stopped.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::courier::Deliver;
use super::driver::{Driver, Sources, Version, Watchdog};
use super::events::{Sink, stream};
use super::last_resort::{attempt, drive};
use super::pid_file::PidFile;
use super::ports::Ports;
use super::signals::{self, Signals};
use super::tally::Tally;
use super::{Command, Events, Handle, init};
use crate::config::Config;
use crate::dispatch::Strategy;
use crate::listener::systemd::{self, Passed};
use crate::metrics::Totals;
use crate::shared::{Block, Shared};
use crate::signals::block_only;
use crate::spawn::{Image, Program};
use crate::supervisor::{Generation, Supervisor};
use crate::{Error, Result, admin, log, runtime, spawn};

/// The program's handler of events, on a thread of its own.
type Watch = Box<dyn FnOnce(Events, Handle) + Send>;

/// The parts of a cluster that are not settings.
pub(crate) struct Extras {
    pub(crate) strategy: Box<dyn Strategy>,
    pub(crate) watch: Option<Watch>,
    /// The number of words that all processes share.
    pub(crate) shared: Option<NonZeroUsize>,
}

/// The limit on commands from other threads, and on news from workers, that wait for the loop.
const ROOM: usize = 256;

/// The time for which an exiting primary waits for the program to read the last events.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs the cluster until it has stopped. An unavailable resource (a port, a file) is reported as an
/// error before the first worker is started.
pub(crate) fn run(config: Config, extras: Extras) -> Result<()> {
    let passed = Passed::from_env()?; // before there are threads
    let watchdog = Watchdog::new(systemd::watchdog());
    spawn::check()?;
    let role = init::split()?;
    let held = signals::hold()?;
    let _log = log::install(config.log)?;
    config.notes().iter().for_each(|note| tracing::warn!("{note}"));
    if role == init::Role::ThreadedPid1 {
        tracing::warn!("{}", init::ADVICE);
    }
    let _pid_file = config.pid_file.as_deref().map(PidFile::create).transpose()?;
    let runtime = runtime::start(1)?;
    let entered = runtime.enter();
    let shared = extras.shared.map(Block::new).transpose()?;
    let ports = Ports::bind(&config, passed, extras.strategy)?;
    let signals = Signals::install(held)?;
    let (to_loop, commands) = mpsc::channel(ROOM);
    let admin = admin::start(&config.admin, config.admin_token.clone(), to_loop.clone())?;
    if let Some(address) = admin.as_ref().and_then(admin::Server::address) {
        tracing::info!("admin API on {address}");
    }
    let common = shared.as_ref().map(Block::shared);
    let (events, watcher) = watch_events(extras.watch, &to_loop, common)?;
    let (deliver, news) = mpsc::channel(ROOM);
    let mut driver = assemble(config, ports, shared, events, to_loop, deliver)?;
    driver.admin = admin;
    drop(entered);
    let outcome = runtime.block_on(drive(driver, Sources { signals, news, commands, watchdog }));
    // The program has read everything and returned, is not interested, or has panicked.
    let panic = watcher.and_then(|watcher| watcher.recv_timeout(FAREWELL).ok());
    outcome.and(panic.map_or(Ok(()), Err))
}

fn assemble(
    config: Config,
    ports: Ports,
    shared: Option<Block>,
    events: Sink,
    to_loop: mpsc::Sender<Command>,
    deliver: Deliver,
) -> Result<Driver> {
    // No process writes to this pipe. Its writing end closes when this process dies, however it dies.
    let (lifeline, alive) = std::io::pipe()?;
    Ok(Driver {
        supervisor: Supervisor::new(config.policy.clone(), seed()),
        versions: BTreeMap::from([first_version(&config)?]),
        program: Program::current()?,
        started: Instant::now(),
        peers: BTreeMap::new(),
        addresses: ports.addresses(),
        config: Arc::new(config),
        tally: Tally::default(),
        totals: Totals::default(),
        replies: HashMap::new(),
        next_request: 0,
        next_generation: 1,
        next_question: 0,
        drains: Vec::new(),
        has_begun: false,
        reload_again: false,
        unadmitted: Vec::new(),
        fatal: None,
        admin: None,
        finished: false,
        lifeline,
        _alive: alive,
        ports,
        shared,
        events,
        to_loop,
        deliver,
    })
}

/// The version that this process itself is running, even if its file has since been replaced.
fn first_version(config: &Config) -> Result<(Generation, Version)> {
    let version = Version { image: Image::mine()?, config: Arc::new(config.clone()) };
    Ok((Generation(1), version))
}

/// Starts the thread on which the program watches. The returned receiver ends when that thread does,
/// and reports its panic. A primary whose program has stopped thinking would continue, unnoticed, as
/// half a primary, so it stops.
fn watch_events(
    watch: Option<Watch>,
    commands: &mpsc::Sender<Command>,
    shared: Option<&Shared>,
) -> Result<(Sink, Option<Receiver<Error>>)> {
    let Some(watch) = watch else { return Ok((Sink::nowhere(), None)) };
    let (sink, events) = stream();
    let handle = Handle { commands: commands.clone(), shared: shared.cloned() };
    let (report, ended) = channel();
    runtime::spawn("cluster-events", move || {
        // A process that the program starts inherits the signal mask of this thread.
        let _ = block_only([]);
        let stop = handle.clone();
        if let Err(error) = attempt(|| watch(events, handle)) {
            tracing::error!("{error}; the cluster is stopping");
            let _ = report.send(error); // the receiver is gone if the cluster is already gone
            let _ = stop.stop();
        }
    })?;
    Ok((sink, Some(ended)))
}

/// Jitter must differ from primary to primary, or a fleet would restart in step.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_le_bytes().chunks(8).fold(u64::from(std::process::id()), |seed, bytes| {
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        seed.rotate_left(17) ^ u64::from_le_bytes(word)
    })
}
