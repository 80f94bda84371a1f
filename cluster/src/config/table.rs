//! The table of all settings. Everything about a setting is written here, once.

use std::time::Duration;

use super::address::Listeners;
use super::builder::{Builder, Text};
use super::form::{Auto, FilePath, Form, Off, OneOf, Size, Span, Whole};
use super::special::{ApiPort, ApiSocket, Regularly, Secret};
use super::{Config, LogFormat, Sharing};

/// One setting: its names, its meaning, its allowed values.
#[derive(Debug)]
pub struct Setting {
    /// The name in code and in a file. `http_idle_time` may also be `idle_time` under `[http]`.
    pub key: &'static str,
    /// The name in the environment.
    pub env: &'static str,
    /// The purpose of the setting.
    pub meaning: &'static str,
    pub(super) allowed: fn() -> String,
    pub(super) wrong: fn(&str) -> Option<String>,
    pub(super) set: fn(&mut Config, &str) -> Option<()>,
    pub(super) get: fn(&Config) -> String,
}

/// All settings, in the order of the documentation.
#[must_use]
pub fn settings() -> &'static [Setting] {
    TABLE
}

impl Setting {
    /// The allowed values, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        (self.allowed)()
    }

    /// The default value, as it could be written in a file.
    #[must_use]
    pub fn default(&self) -> String {
        (self.get)(&Config::before_all_layers())
    }

    /// Returns whether the setting can have this value.
    pub(super) fn takes(&self, text: &str) -> bool {
        (self.set)(&mut Config::before_all_layers(), text).is_some()
    }

    /// Returns whether the value is a secret, which is never shown.
    pub(super) fn is_secret(&self) -> bool {
        self.key == "api_token"
    }
}

/// Turns each row into an entry of the table, and a method of the builder that takes the plain value.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+
       $key:ident($given:ty), $env:literal, $form:expr => $($place:ident).+;)+) => {
        static TABLE: &[Setting] = &[$(Setting {
            key: stringify!($key),
            env: $env,
            meaning: concat!($($doc),+),
            allowed: || allowed(&$form, |config| &config.$($place).+),
            wrong: |text| wrong(&$form, |config| &config.$($place).+, text),
            set: |config, text| $form.read(text).map(|value| config.$($place).+ = value),
            get: |config| $form.show(&config.$($place).+),
        }),+];

        impl Builder {$(
            $(#[doc = $doc])+
            #[doc = concat!("\n\nIn the environment: `", $env, "`.")]
            #[must_use]
            pub fn $key(self, value: $given) -> Self {
                self.given(stringify!($key), value.text())
            }
        )+}
    };
}

/// The allowed values of a form. `_place` is not used: it only gives the compiler the form's type.
fn allowed<F: Form>(form: &F, _place: fn(&Config) -> &F::Value) -> String {
    form.allowed()
}

fn wrong<F: Form>(form: &F, _place: fn(&Config) -> &F::Value, text: &str) -> Option<String> {
    form.wrong(text)
}

const NONE: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

settings! {
    /// Addresses to listen on. A bare port means all IPv4 interfaces; port 0 lets the kernel choose.
    listen(&str), "CLUSTER_LISTEN", Listeners => listen;
    /// The way that the workers share a port.
    sharing(Sharing), "CLUSTER_SHARING", OneOf(&SHARING) => sharing;
    /// The number of workers at the start. `auto`: one for each core that this process may use.
    workers(usize), "CLUSTER_WORKERS", Auto(1, 1024) => policy.workers;
    /// Scaling goes no lower than this.
    min_workers(usize), "CLUSTER_MIN_WORKERS", Whole(1, 1024) => policy.min_workers;
    /// Scaling goes no higher than this. `auto`: 256, or `workers` if that is more.
    max_workers(usize), "CLUSTER_MAX_WORKERS", Auto(1, 1024) => policy.max_workers;
    /// The number of workers beyond the wanted number that may run while others are being replaced.
    surge(usize), "CLUSTER_SURGE", Whole(1, 1024) => policy.surge;
    /// The number of workers that may be draining at the same time. `off`: up to the wanted
    /// number of workers.
    max_draining(Option<usize>), "CLUSTER_MAX_DRAINING", Off(Whole(1, 1024)) => policy.max_draining;
    /// The number of threads of each worker's runtime. With several, a hung thread may go unnoticed,
    /// because another one keeps reporting.
    worker_threads(usize), "WORKER_THREADS", Whole(1, 1024) => worker_threads;

    /// The time that a worker may take from its start until it is ready.
    ready_timeout(Duration), "WORKER_READY_TIMEOUT", Span(ms(10), HOUR) => policy.ready_timeout;
    /// The time for which a new worker must stay ready during a reload before the old one is
    /// drained.
    min_ready(Duration), "WORKER_MIN_READY", Span(NONE, HOUR) => policy.min_ready;
    /// A worker that dies within this time after its start has died early.
    min_uptime(Duration), "WORKER_MIN_UPTIME", Span(ms(1), HOUR) => policy.min_uptime;
    /// The back-off after an early death: the next start waits up to this time at first, then up to
    /// twice as long each time.
    restart_delay(Duration), "WORKER_RESTART_DELAY", Span(ms(1), HOUR) => policy.restart_delay;
    /// No back-off is longer than this.
    restart_delay_max(Duration), "WORKER_RESTART_DELAY_MAX",
        Span(ms(1), HOUR) => policy.restart_delay_max;
    /// After this many early deaths in a row, a slot counts as errored and is retried at the
    /// longest back-off.
    max_early_deaths(u32), "WORKER_MAX_EARLY_DEATHS",
        Whole(1, 1_000_000) => policy.max_early_deaths;

    /// The time for which idle connections of a draining worker stay open for one more request.
    drain_window(Duration), "DRAIN_WINDOW", Span(ms(1), HOUR) => policy.drain_window;
    /// The total time that a draining worker may take; after that its remaining connections are
    /// cut.
    drain_timeout(Duration), "DRAIN_TIMEOUT", Span(ms(1), DAY) => policy.drain_timeout;
    /// The same when the whole cluster is stopping.
    shutdown_timeout(Duration), "GRACEFUL_SHUTDOWN_TIMEOUT",
        Span(ms(1), DAY) => policy.shutdown_timeout;
    /// During a stop: the time that the workers get to empty the queue before connections are
    /// refused.
    accept_timeout(Duration), "SHUTDOWN_ACCEPT_TIMEOUT", Span(NONE, HOUR) => policy.accept_timeout;
    /// The time from the order to exit until SIGKILL.
    term_grace(Duration), "WORKER_TERM_GRACE", Span(NONE, HOUR) => policy.term_grace;
    /// The time from SIGABRT until SIGKILL, during which a hung worker may write a core dump.
    abort_grace(Duration), "WORKER_ABORT_GRACE", Span(NONE, HOUR) => policy.abort_grace;

    /// The interval at which workers report that they are alive; after two missed reports a worker
    /// counts as hung.
    health_report_interval(Option<Duration>), "HEALTH_REPORT_INTERVAL",
        Off(Span(ms(10), HOUR)) => policy.heartbeat;
    /// The interval at which the primary checks its workers' memory.
    health_check_interval(Duration), "HEALTH_CHECK_INTERVAL",
        Span(ms(10), HOUR) => health_check_interval;
    /// The resident memory above which a worker is replaced.
    memory_limit(Option<u64>), "WORKER_MEMORY_LIMIT",
        Off(Size(1 << 20, 1 << 50)) => policy.memory_limit;
    /// The number of requests after which a worker is replaced, give or take a tenth.
    max_requests(Option<u64>), "WORKER_MAX_REQUESTS",
        Off(Whole(1, u64::MAX)) => policy.max_requests;
    /// The time after which a worker is replaced, give or take a tenth.
    max_lifetime(Option<Duration>), "WORKER_MAX_LIFETIME",
        Off(Span(ms(1), YEAR)) => policy.max_lifetime;

    /// The maximum size of a request's head.
    http_header_size(usize), "HTTP_HEADER_SIZE", Size(8 << 10, 16 << 20) => http.header_size;
    /// The time allowed from the first byte of a request's head to its last.
    http_header_time(Duration), "HTTP_HEADER_TIME", Span(ms(1), HOUR) => http.header_time;
    /// The time for which a connection may be idle between requests.
    http_idle_time(Duration), "HTTP_IDLE_TIME", Span(ms(1), DAY) => http.idle_time;
    /// The time allowed from the end of a request's head to the end of its body.
    http_body_time(Duration), "HTTP_BODY_TIME", Span(ms(1), DAY) => http.body_time;
    /// The time allowed from the end of a request's head to the head of its answer.
    http_request_time(Duration), "HTTP_REQUEST_TIME", Span(ms(1), DAY) => http.request_time;
    /// The number of connections that may be open in one worker at the same time; at this limit the
    /// worker accepts no more.
    http_connections(usize), "HTTP_CONNECTIONS", Whole(1, 1_000_000) => http.connections;

    /// The file that the primary's pid is written to.
    pid_file(Option<&str>), "CLUSTER_PID_FILE", Off(FilePath) => pid_file;
    /// The admin API's Unix socket. `auto`: a path that contains the primary's pid;
    /// if no such path can be used, the cluster runs without the API.
    api_socket(&str), "CLUSTER_API_SOCKET", ApiSocket => admin;
    /// The admin API on TCP instead; a bare port means the loopback address.
    api_port(u16), "CLUSTER_API_PORT", ApiPort => admin;
    /// The token that changes through the admin API on TCP must carry as `Authorization: Bearer …`.
    api_token(&str), "CLUSTER_API_TOKEN", Secret => admin_token;
    /// The format of log lines.
    log_format(LogFormat), "LOG_FORMAT", OneOf(&LOG_FORMATS) => log;
    /// The interval at which a line with the totals is logged, if at all. `true`: with each health
    /// report.
    log_stats(Option<Duration>), "LOG_CLUSTER_STATS", Regularly(Span(ms(100), DAY)) => log_stats;
}

pub(super) const SHARING: [(&str, Sharing); 3] = [
    ("inherited", Sharing::Inherited),
    ("reuse-port", Sharing::ReusePort),
    ("hand-off", Sharing::HandOff),
];

pub(super) const LOG_FORMATS: [(&str, LogFormat); 3] =
    [("text", LogFormat::Text), ("json", LogFormat::Json), ("off", LogFormat::Off)];
