//! The warden of one check: starts it, watches it, kills what is left of it, and judges.
//!
//! It is a process of its own, so that nothing a learner's code does can reach the other checks. It
//! is a subreaper: a process below it that loses its parent becomes its child, so none gets away. It
//! blocks its signals, and the check has a session of its own, so neither can be hit by accident.

mod output;
mod timeline;
mod tree;
pub mod waits;

use std::env;
use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ExitCode, Stdio, exit};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::WaitStatus;
use nix::unistd::setsid;
use serde::{Deserialize, Serialize};

use self::output::Output;
pub use self::timeline::Moment;
use self::timeline::Timeline;
use self::tree::Tree;
pub use self::tree::{CROWD, kill_with_group};
use self::waits::{Wait, waits};
use crate::verdict::{End, Seen, Verdict, judge};
use crate::wire::{self, Record, now};
use crate::{Result, this_program};

/// The time for which all processes may sleep, with no activity, before they count as stuck. No
/// check has a pause that long.
pub const STILL: Duration = Duration::from_secs(1);

/// The report of a warden.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The trial, as in `reap::1`.
    pub trial: String,
    /// The result.
    pub verdict: Verdict,
    /// The process of the check.
    pub check: i32,
    /// The events, as far as they could be observed.
    pub timeline: Vec<Moment>,
    /// The output of the check and its descendants, cut in the middle if it is long.
    pub output: String,
    /// The duration.
    pub took: Duration,
}

/// The process of a warden: runs the check `trial`, and writes its [`Report`] to stdout as JSON.
#[must_use]
pub fn main(trial: &str, deadline: Duration) -> ExitCode {
    let report = watch(trial, deadline).and_then(|report| Ok(serde_json::to_string(&report)?));
    match report.and_then(|report| Ok(io::stdout().write_all(report.as_bytes())?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the warden of {trial}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn watch(trial: &str, deadline: Duration) -> Result<Report> {
    let signals = settle()?;
    let start = now();
    let (mut check, records, output) = start_check(trial)?;
    let mut watch = Watch {
        check: i32::try_from(check.id())?,
        start,
        deadline: start + deadline,
        records: Vec::new(),
        unread: Vec::new(),
        output: Output::default(),
        open_pipes: [true; 2],
        timeline: Timeline::default(),
        tree: Tree::default(),
    };
    let (end, waits) = watch.until_its_end(&signals, &records, &output)?;
    let left = watch.tree.running();
    watch.tree.end_all()?;
    let _ = check.try_wait(); // it has been reaped, so the status is lost to std; that does not matter
    watch.take_all(&records, &output)?;
    watch.timeline.add(&watch.records);
    let took = now().saturating_sub(start);
    let ever = watch.timeline.ever();
    let seen = Seen { check: watch.check, records: watch.records, end, left, waits, ever };
    Ok(Report {
        trial: trial.to_owned(),
        verdict: judge(&seen),
        check: seen.check,
        timeline: watch.timeline.in_order(start, seen.check),
        output: watch.output.text(),
        took,
    })
}

/// Makes this process a warden: it adopts orphans, notices exits through a descriptor, and blocks
/// every signal but SIGKILL and SIGSTOP.
#[allow(unsafe_code)]
fn settle() -> Result<SignalFd> {
    setsid()?; // a signal to the group of the runner must not hit the process that cleans up after it
    prctl::set_child_subreaper(true)?;
    // SAFETY: the default action is not a handler of ours. If SIGCHLD was ignored when we were
    // started, the kernel would reap our children for us.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    SigSet::all().thread_block()?;
    // The process that started the tests may have left descriptors open; a check must not get these.
    // SAFETY: the call only sets a flag.
    unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC.cast_signed()) };
    Ok(SignalFd::with_flags(
        &SigSet::from(Signal::SIGCHLD),
        SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC,
    )?)
}

/// Starts the process of the check. It gets a pipe for its records and one for its output.
fn start_check(trial: &str) -> Result<(Child, PipeReader, PipeReader)> {
    let (records, their_records) = io::pipe()?;
    let (output, their_output) = io::pipe()?;
    for reader in [&records, &output] {
        fcntl(reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    // A high number, out of the way of those that a learner will see. The copy is not close-on-exec.
    let number = fcntl(&their_records, FcntlArg::F_DUPFD(100))?;
    let check = this_program()
        .args([crate::ROLE, "check", trial])
        .env(wire::PIPE, number.to_string())
        .env("RUST_BACKTRACE", "0") // a learner gains nothing from the grader's frames
        .stdin(Stdio::null())
        .stdout(their_output.try_clone()?)
        .stderr(their_output)
        .spawn();
    nix::unistd::close(number)?;
    Ok((check?, records, output))
}

/// The state of a warden while it watches.
struct Watch {
    check: i32,
    start: Duration,
    deadline: Duration,
    records: Vec<Record>,
    unread: Vec<u8>,
    output: Output,
    /// True while the pipe has not ended: for records, and for output.
    open_pipes: [bool; 2],
    timeline: Timeline,
    tree: Tree,
}

impl Watch {
    /// Watches until the check has ended, or has to be killed. Returns its end, and where its
    /// processes were waiting at that time.
    fn until_its_end(
        &mut self,
        signals: &SignalFd,
        records: &PipeReader,
        output: &PipeReader,
    ) -> Result<(End, Vec<Wait>)> {
        let stdin = io::stdin();
        loop {
            self.take_all(records, output)?;
            while signals.read_signal()?.is_some() {}
            let ended = self.reap()?;
            if let Some(end) = ended {
                return Ok((end, Vec::new()));
            }
            self.tree.look();
            self.timeline.see(&self.tree, now());
            if self.tree.is_crowd() {
                return Ok((End::Crowd, Vec::new()));
            }
            if now() > self.deadline {
                return Ok((End::Late, waits(&self.tree)));
            }
            if self.tree.still_for() > STILL {
                return Ok((End::Stuck, waits(&self.tree)));
            }
            // A pipe at its end would keep waking this process forever.
            let pipes = self.open_pipes.iter().zip([records.as_fd(), output.as_fd()]);
            let pipes = pipes.filter(|(open, _)| **open).map(|(_, pipe)| pipe);
            let mut readable: Vec<PollFd> = [stdin.as_fd(), signals.as_fd()]
                .into_iter()
                .chain(pipes)
                .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
                .collect();
            poll(&mut readable, PollTimeout::from(self.pause()))?;
            if readable[0].any() == Some(true) {
                // The runner holds the other end and never writes, so it has died. End the check,
                // too.
                self.tree.look();
                self.tree.end_all()?;
                let _ = env::current_dir().and_then(fs::remove_dir_all); // the runner made it for us
                exit(1)
            }
        }
    }

    /// The time to sleep between two looks, in milliseconds: most checks are over soon.
    fn pause(&self) -> u16 {
        if now().saturating_sub(self.start) < Duration::from_millis(300) { 2 } else { 10 }
    }

    /// Reaps all processes that have ended. Returns the end of the check, if the check is among them.
    fn reap(&mut self) -> Result<Option<End>> {
        let mut end = None;
        for status in tree::reap()? {
            let Some(pid) = status.pid() else { continue };
            if pid.as_raw() != self.check {
                self.timeline.orphan(pid.as_raw(), now());
                continue;
            }
            end = match status {
                WaitStatus::Signaled(_, signal, _) => Some(End::Killed(signal.to_string())),
                WaitStatus::Exited(_, code) => Some(End::Exited(code)),
                _ => None,
            };
        }
        if end.is_some() {
            self.tree.look();
        }
        Ok(end)
    }

    /// Reads what is available, without waiting.
    fn take_all(&mut self, mut records: &PipeReader, mut output: &PipeReader) -> Result<()> {
        let more = read_all(&mut records, |bytes| self.unread.extend_from_slice(bytes))?;
        // A line that is not a record was written by foreign code; it proves nothing.
        self.records.extend(wire::take_records(&mut self.unread).into_iter().flatten());
        self.open_pipes = [more, read_all(&mut output, |bytes| self.output.push(bytes))?];
        Ok(())
    }
}

/// Reads what is available, but not forever if a process writes faster than this one reads. Returns
/// true if more may arrive later.
fn read_all(reader: &mut impl Read, mut take: impl FnMut(&[u8])) -> Result<bool> {
    let mut bytes = [0; 16 * 1024];
    for _ in 0..64 {
        match reader.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(count) => take(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}
