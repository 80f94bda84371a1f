//! The numbers on which the supervisor bases its decisions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the supervisor. [`Config`](crate::Config) makes and validates them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Workers wanted at the start.
    pub workers: usize,
    /// The minimum: scaling goes no lower.
    pub min_workers: usize,
    /// The maximum: scaling goes no higher.
    pub max_workers: usize,
    /// Workers beyond the wanted number that may be starting or ready while others are replaced.
    pub surge: usize,
    /// Workers that may be draining at the same time; `None`: as many as are wanted.
    pub max_draining: Option<usize>,
    /// The time that a worker may take to become ready after its start.
    pub ready_timeout: Duration,
    /// The time for which a newcomer must stay ready during a reload before the old worker is
    /// drained.
    pub min_ready: Duration,
    /// A worker that dies sooner than this after its start has died early.
    pub min_uptime: Duration,
    /// Back-off: the first delay's upper bound.
    pub restart_delay: Duration,
    /// Back-off: no delay is longer.
    pub restart_delay_max: Duration,
    /// After this many early deaths in a row a slot is errored.
    pub max_early_deaths: u32,
    /// The time for which idle connections of a draining worker stay open for one more request.
    pub drain_window: Duration,
    /// The time that a draining worker may take in all, before the rest is cut.
    pub drain_timeout: Duration,
    /// The same for a stop of the cluster.
    pub shutdown_timeout: Duration,
    /// During a stop: the time that all workers have to empty the queue before connections are
    /// refused.
    pub accept_timeout: Duration,
    /// The time from the order to exit until SIGKILL.
    pub term_grace: Duration,
    /// The time from SIGABRT until SIGKILL, in which to write a core dump.
    pub abort_grace: Duration,
    /// The period of workers' reports. A worker that misses two is unhealthy. `None`: there is no
    /// check for hangs.
    pub heartbeat: Option<Duration>,
    /// Bytes of resident memory above which a worker is replaced.
    pub memory_limit: Option<u64>,
    /// Requests after which a worker is replaced, give or take a tenth.
    pub max_requests: Option<u64>,
    /// Time after which a worker is replaced, give or take a tenth.
    pub max_lifetime: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            workers: 1,
            min_workers: 1,
            max_workers: 256,
            surge: 1,
            max_draining: None,
            ready_timeout: Duration::from_secs(30),
            min_ready: Duration::ZERO,
            min_uptime: Duration::from_secs(1),
            restart_delay: Duration::from_millis(100),
            restart_delay_max: Duration::from_secs(30),
            max_early_deaths: 10,
            drain_window: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(30),
            accept_timeout: Duration::from_millis(100),
            term_grace: Duration::from_secs(2),
            abort_grace: Duration::from_secs(5),
            heartbeat: Some(Duration::from_secs(30)),
            memory_limit: None,
            max_requests: None,
            max_lifetime: None,
        }
    }
}
