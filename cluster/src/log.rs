//! The log: lines on standard error, as text or JSON.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::LogFormat;
use crate::{Result, runtime};

/// The maximum number of lines that wait for a slow reader; any further lines are dropped, so that no
/// caller waits. The whole queue is allocated up front, at 32 bytes per line, and every worker has
/// one.
const ROOM: usize = 2_000;

/// The time for which an exiting process waits for a slow reader.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the log, which writes on a thread of its own: if the reader of our standard error stops
/// reading (so that a pipe is full), the supervision must not stop. Dropping the returned value
/// writes the rest.
///
/// A program that already has a subscriber keeps it. `RUST_LOG` chooses what is logged.
///
/// # Errors
/// The kernel allows no more threads. (The crate `tracing-appender` does the same as this file, but
/// panics in that case.)
pub(crate) fn install(format: LogFormat) -> Result<Option<Writer>> {
    if format == LogFormat::Off {
        return Ok(None);
    }
    let (lines, waiting) = sync_channel(ROOM);
    let (writer, ended) = (runtime::spawn("cluster-log", move || write(&waiting))?, lines.clone());
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = move || Line { to: lines.clone(), text: Vec::new() };
    let builder = fmt().with_writer(lines).with_env_filter(chosen).with_ansi(false);
    let installed = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text | LogFormat::Off => builder.with_target(false).try_init(),
    };
    let writer = Writer { thread: Some(writer), last: ended };
    Ok(installed.ok().map(|()| writer))
}

/// A message to the writing thread.
enum Entry {
    Line(Vec<u8>),
    /// Nothing follows; the answer confirms that everything before this has been written.
    End(SyncSender<()>),
}

/// Writes lines until it is dropped.
pub(crate) struct Writer {
    thread: Option<JoinHandle<()>>,
    last: SyncSender<Entry>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        let (written, done) = sync_channel(1);
        // If the reader has stopped reading and the queue is full, the rest is lost.
        if self.last.try_send(Entry::End(written)).is_ok()
            && done.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout)
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn write(waiting: &Receiver<Entry>) {
    let mut standard_error = io::stderr();
    for entry in waiting {
        match entry {
            // A full disk, or a reader that is gone: a failure to log is not a reason to exit.
            Entry::Line(line) => drop(standard_error.write_all(&line)),
            Entry::End(written) => {
                let _ = written.send(());
                return;
            }
        }
    }
}

/// A line that is being formatted.
struct Line {
    to: SyncSender<Entry>,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.to.try_send(Entry::Line(std::mem::take(&mut self.text)));
    }
}
