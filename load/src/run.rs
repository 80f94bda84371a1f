//! One run: its plan, its clients, and the way to its report.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use hyper::{HeaderMap, Method};
use lab::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{JoinSet, spawn_local};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::client::{Connection, Run, client};
use crate::figures::Figures;
use crate::loss::Loss;
use crate::report::Report;
use crate::schedule::{Pace, Schedule};
use crate::{Request, Target, progress};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server and the resource.
    pub target: Target,
    /// The request that every client sends.
    pub request: Request,
    /// The number of clients; each has one connection.
    pub connections: NonZeroUsize,
    /// A new connection for each request. `request` should announce it, see
    /// [`Request::close_after`].
    pub fresh: bool,
    /// Closed or open loop.
    pub pace: Pace,
    /// The time in which requests are sent. The answers to the last ones may come later.
    pub duration: Duration,
    /// The length of the intervals of the report, above 0.
    pub interval: Duration,
    /// The longest time for one request, from the begin of its connection to the end of its answer.
    pub timeout: Duration,
}

impl Plan {
    /// GET requests over kept connections for `duration`, with one interval and a timeout of a minute.
    ///
    /// ```no_run
    /// # use std::{num::NonZeroUsize, time::Duration};
    /// use load::{Pace, Plan};
    ///
    /// let connections = NonZeroUsize::new(64).expect("it is not 0");
    /// let target = "http://127.0.0.1:8000/".parse()?;
    /// let report = Plan::get(target, connections, Pace::Closed, Duration::from_secs(10)).run()?;
    /// println!("{report}");
    /// # Ok::<(), lab::Error>(())
    /// ```
    #[must_use]
    pub fn get(target: Target, connections: NonZeroUsize, pace: Pace, duration: Duration) -> Self {
        Self {
            request: Request::new(&target, Method::GET, HeaderMap::new(), b""),
            target,
            connections,
            fresh: false,
            pace,
            duration,
            interval: duration,
            timeout: Duration::from_secs(60),
        }
    }

    /// Carries out the plan, on a runtime of its own. See [`measure`].
    ///
    /// # Errors
    /// The server cannot be reached, or does not answer in HTTP.
    pub fn run(self) -> Result<Report> {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().build_local(LocalOptions::default())?;
        runtime.block_on(measure(self, &CancellationToken::new()))
    }
}

/// Carries out a plan. A run that is stopped by `stop` reports what it has so far.
///
/// It belongs on a [`LocalRuntime`](tokio::runtime::LocalRuntime): the clients share their figures
/// without locks. (A `LocalSet` would do, but each of its wake-ups costs a system call.)
///
/// ```no_run
/// # use std::{num::NonZeroUsize, time::Duration};
/// use hyper::{HeaderMap, Method};
/// use load::{Pace, Plan, Request, Target, measure};
/// use tokio::runtime::{Builder, LocalOptions};
/// use tokio_util::sync::CancellationToken;
///
/// let target: Target = "http://127.0.0.1:8000/".parse()?;
/// let plan = Plan {
///     request: Request::new(&target, Method::GET, HeaderMap::new(), b""),
///     target,
///     connections: NonZeroUsize::new(64).expect("it is not 0"),
///     fresh: false,
///     pace: Pace::Open { rate: 2000.0 },
///     duration: Duration::from_secs(10),
///     interval: Duration::from_secs(1),
///     timeout: Duration::from_secs(10),
/// };
/// let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
/// let report = runtime.block_on(measure(plan, &CancellationToken::new()))?;
/// println!("{report}");
/// # Ok::<(), lab::Error>(())
/// ```
///
/// # Errors
/// The server cannot be reached, or does not answer in HTTP.
///
/// # Panics
/// The runtime is not local.
pub async fn measure(plan: Plan, stop: &CancellationToken) -> Result<Report> {
    let url = plan.target.to_string();
    let explain = |loss: Loss| format!("{url}: {loss}");
    let connections = tokio::select! {
        opened = open_all(&plan) => opened.map_err(explain)?,
        () = stop.cancelled() => return Err("interrupted before the first request".into()),
    };
    let schedule = Schedule::new(plan.pace, plan.duration);
    let figures = RefCell::new(Figures::new(schedule.begin(), &plan));
    let run = Rc::new(Run { plan, schedule, figures });
    let before = cpu_time(UsageWho::RUSAGE_SELF)?;
    let mut clients = JoinSet::new();
    for connection in connections {
        clients.spawn_local(client(Rc::clone(&run), connection));
    }
    let shared = Rc::clone(&run);
    let pacer =
        AbortOnDropHandle::new(spawn_local(async move { shared.schedule.keep_pace().await }));
    let interrupted = tokio::select! {
        ended = all(&mut clients) => { ended.map_err(explain)?; false }
        () = stop.cancelled() => true,
        Ok(Err(error)) = pacer => return Err(error),
        () = progress::show(&run.figures, run.plan.duration) => false,
    };
    clients.shutdown().await;
    let elapsed = run.schedule.begin().elapsed();
    let used = cpu_time(UsageWho::RUSAGE_SELF)?.saturating_sub(before);
    Ok(Report::new(&run, elapsed, used, interrupted))
}

/// Opens the connections that will be kept, before the clock starts.
async fn open_all(plan: &Plan) -> Result<Vec<Option<Connection>>, Loss> {
    let mut connections = Vec::new();
    for _ in 0..plan.connections.get() {
        connections.push(if plan.fresh { None } else { Some(Connection::open(plan).await?) });
    }
    Ok(connections)
}

/// Waits for all clients, or for the first that has found the run to be hopeless.
async fn all(clients: &mut JoinSet<Result<(), Loss>>) -> Result<(), Loss> {
    while let Some(ended) = clients.join_next().await {
        ended.unwrap_or(Ok(()))?; // a client that panics has printed its message
    }
    Ok(())
}

/// CPU time in user and kernel mode.
pub(crate) fn cpu_time(of: UsageWho) -> Result<Duration> {
    let usage = getrusage(of)?;
    let microseconds = (usage.user_time() + usage.system_time()).num_microseconds();
    Ok(Duration::from_micros(microseconds.try_into().unwrap_or_default()))
}
