//! The log: lines on standard error, as text or JSON.

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::LogFormat;

/// Lines that wait for a slow reader at most; more are dropped, and nobody waits. The queue is made
/// in full, 32 bytes a line, and every worker has one.
const ROOM: usize = 2_000;

/// Logs from now on, through a thread of its own: whoever reads our standard error and stops reading
/// (a pipe that is full) must not stop the supervision. Dropping what is returned writes the rest.
///
/// A program that has a subscriber already keeps it. `RUST_LOG` chooses what is logged.
pub(crate) fn install(format: LogFormat) -> Option<WorkerGuard> {
    if format == LogFormat::Off {
        return None;
    }
    let (lines, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(ROOM)
        .thread_name("cluster-log")
        .finish(std::io::stderr());
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_writer(lines).with_env_filter(chosen).with_ansi(false);
    let installed = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text | LogFormat::Off => builder.with_target(false).try_init(),
    };
    installed.ok().map(|()| guard)
}
