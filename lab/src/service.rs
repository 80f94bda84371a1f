//! An example that runs as a child of the laboratory, and ends with it.

use std::collections::BTreeSet;
use std::env;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::errno::Errno;
use nix::libc::{self, c_uint};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::{Pid, getpid, getppid};

use super::lines::Lines;
use super::{proc, wait_for};
use crate::Result;

/// A running example. When it is dropped, all its processes are stopped.
pub struct Service {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    address: SocketAddr,
    /// Every worker that was ever seen, so that none is forgotten at the end.
    seen: BTreeSet<(i32, u64)>,
}

impl Service {
    /// Starts this same program on a free port and waits for its `ready` line. It gets the options
    /// that the demo itself was given (`--demo --workers 8` plays the lesson with 8 workers), and
    /// then `args`, which take precedence.
    ///
    /// # Errors
    /// It could not be started, or exited before it was ready; the message contains its narration.
    pub fn start(args: &[&str]) -> Result<Self> {
        Self::begin(args)?.until_ready()
    }

    /// The same as [`Service::start`], with these variables in its environment.
    ///
    /// # Errors
    /// The same as for [`Service::start`].
    pub fn start_with(variables: &[(&str, &str)], args: &[&str]) -> Result<Self> {
        let mut command = Self::command(args)?;
        command.envs(variables.iter().copied());
        Self::launch(command)?.until_ready()
    }

    /// The same as [`Service::start`], without waiting: for a version that never becomes ready.
    ///
    /// # Errors
    /// It could not be started.
    pub fn begin(args: &[&str]) -> Result<Self> {
        Self::launch(Self::command(args)?)
    }

    /// The command behind [`Service::start`], to be changed before it is [launched](Service::launch):
    /// its environment, for example.
    ///
    /// # Errors
    /// This program no longer has a path.
    pub fn command(args: &[&str]) -> Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.args(Self::options(args));
        Ok(command)
    }

    /// The options for a service of this demo: those that the demo itself was given, `args`, and
    /// a free port.
    #[must_use]
    pub fn options(args: &[&str]) -> Vec<String> {
        let given = env::args().skip(1).filter(|arg| arg != "--demo");
        let args = args.iter().chain(&["--listen", "127.0.0.1:0"]).map(ToString::to_string);
        given.chain(args).collect()
    }

    /// Starts `command` without waiting for anything.
    ///
    /// # Errors
    /// It could not be started.
    pub fn launch(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        isolate(&mut command);
        let mut child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;

        let stdout = Lines::of(child.stdout.take().expect("piped"));
        let stderr = Lines::of(child.stderr.take().expect("piped"));
        Ok(Self {
            child,
            stdout,
            stderr,
            address: ([127, 0, 0, 1], 0).into(),
            seen: BTreeSet::new(),
        })
    }

    /// Waits until there is a `ready` line (true), or until the primary has exited (false).
    ///
    /// # Errors
    /// Neither happened.
    pub fn ready_or_over(&mut self) -> Result<bool> {
        let line = wait_for("the ready line", || {
            let line = self.ready_line();
            let over = line.is_none() && self.child.try_wait().ok()?.is_some();
            (over || line.is_some()).then_some(line)
        })?;
        let Some(line) = line else { return Ok(false) };
        let url = line.split_whitespace().nth(1).unwrap_or_default();
        self.address = url.trim_start_matches("http://").parse()?;
        self.workers()?;
        Ok(true)
    }

    /// Waits for the `ready` line.
    ///
    /// # Errors
    /// The service exited before it was ready; the message contains its narration.
    pub fn until_ready(mut self) -> Result<Self> {
        if self.ready_or_over()? {
            return Ok(self);
        }
        Err(format!("ended before it was ready; output:\n{}", self.narration().join("\n")).into())
    }

    /// The same as [`Service::start`], for a lesson that makes no sense with a single worker.
    ///
    /// # Errors
    /// The same as for [`Service::start`]; or there is only one worker.
    pub fn start_several(args: &[&str]) -> Result<Self> {
        let mut service = Self::start(args)?;
        match service.workers()?.len() {
            1 => Err("this lesson needs at least 2 workers: see --workers, CLUSTER_WORKERS".into()),
            _ => Ok(service),
        }
    }

    /// The `ready` line, if it has been printed.
    #[must_use]
    pub fn ready_line(&self) -> Option<String> {
        self.stdout.so_far().into_iter().find(|line| line.starts_with("ready "))
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pid of the primary.
    #[must_use]
    pub fn primary(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The pids of the workers: the children of the primary that are running and have its name. A child
    /// with another name is a helper, such as a Redis server.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn workers(&mut self) -> Result<Vec<i32>> {
        let mut running = proc::children(self.primary())?;
        let name = proc::name(self.primary());
        running.retain(|pid| !proc::gone(*pid) && proc::name(*pid) == name);
        self.seen.extend(running.iter().filter_map(|pid| Some((*pid, proc::born(*pid)?))));
        Ok(running)
    }

    /// Waits until `wanted` workers are running and `victim` is not one of them; returns the newest.
    ///
    /// # Errors
    /// It did not happen.
    pub fn replaced(&mut self, victim: i32, wanted: usize) -> Result<i32> {
        wait_for("a replacement", || {
            let workers = self.workers().ok()?;
            let replaced = workers.len() == wanted && !workers.contains(&victim);
            replaced.then(|| workers.into_iter().max_by_key(|pid| proc::born(*pid))).flatten()
        })
    }

    /// The lines that the service has written to stderr so far.
    #[must_use]
    pub fn narration(&self) -> Vec<String> {
        self.stderr.so_far()
    }

    /// Waits for a line on stderr that contains `part`.
    ///
    /// # Errors
    /// The line did not appear.
    pub fn prints(&self, part: &str) -> Result<String> {
        wait_for(&format!("the words {part:?}"), || {
            self.narration().into_iter().find(|line| line.contains(part))
        })
    }

    /// Waits until `n` lines on stderr contain `part`.
    ///
    /// # Errors
    /// The lines did not appear.
    pub fn prints_times(&self, part: &str, n: usize) -> Result<()> {
        wait_for(&format!("{n} times the words {part:?}"), || {
            let lines = self.narration().iter().filter(|line| line.contains(part)).count();
            (lines >= n).then_some(())
        })
    }

    /// Sends `signal` to the primary, or to one of its workers.
    ///
    /// # Errors
    /// There is no such process.
    pub fn signal(&self, pid: i32, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(pid), signal)?)
    }

    /// Sends `signal` to the primary and waits until it has exited.
    ///
    /// # Errors
    /// The primary did not exit, or left workers behind.
    pub fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.workers()?;
        self.signal(self.primary(), signal)?;
        let status = self.ended()?;
        wait_for("the workers to end with their primary", || self.left().is_empty().then_some(()))?;
        Ok(status)
    }

    /// Waits until the primary has exited on its own.
    ///
    /// # Errors
    /// The primary did not exit.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        wait_for("the primary to end", || self.child.try_wait().transpose())?.map_err(Into::into)
    }

    /// The workers that are still running. A pid may be given to another process once it is free; the
    /// start time distinguishes them.
    fn left(&self) -> Vec<i32> {
        let alive = |(pid, born): &(i32, u64)| !proc::gone(*pid) && proc::born(*pid) == Some(*born);
        self.seen.iter().copied().filter(alive).map(|(pid, _)| pid).collect()
    }
}

impl Drop for Service {
    /// Stops all remaining processes, even if a test has failed half-way. A primary that exits on a
    /// signal removes its files; the same signal half a second later makes it exit at once. A primary
    /// that does not react is killed.
    fn drop(&mut self) {
        let _ = self.workers();
        let _ = wait_for("the primary to end", || {
            if matches!(self.child.try_wait(), Ok(None)) {
                let _ = self.signal(self.primary(), Signal::SIGTERM);
                return None;
            }
            Some(())
        });
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in self.left() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Ties the child to the thread that starts it, so that a test or demo that is killed leaves
/// nothing behind; does not pass on the descriptors that this process was started with, so that all
/// descriptors of a worker come from the example; and restores SIGHUP, which a test or demo under
/// `nohup` ignores.
#[allow(unsafe_code)]
pub(super) fn isolate(command: &mut Command) {
    let owner = getpid();
    let isolate = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        if getppid() != owner {
            return Err(Errno::ESRCH.into()); // it is already dead
        }
        // SAFETY: no handler is installed.
        unsafe { signal(Signal::SIGHUP, SigHandler::SigDfl) }?;
        // SAFETY: it changes a flag of descriptors; those that are not open are skipped.
        let done =
            unsafe { libc::close_range(3, c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC.cast_signed()) };
        Ok(Errno::result(done).map(drop)?)
    };
    // SAFETY: the closure runs between fork and exec and does four system calls.
    unsafe { command.pre_exec(isolate) };
}
