//! An example that runs as a child of the laboratory, and ends with it.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::errno::Errno;
use nix::libc::{self, c_uint};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Answer, Client, proc, wait_for};
use crate::Result;

/// A running example. When it is dropped, all its processes are ended.
pub struct Service {
    child: Child,
    said: Arc<Mutex<Said>>,
    address: SocketAddr,
    /// Every worker that was ever seen, so that none is forgotten at the end.
    seen: BTreeSet<(i32, u64)>,
}

/// What the service has said so far, line by line.
#[derive(Default)]
struct Said {
    stdout: Vec<String>,
    stderr: Vec<String>,
}

impl Service {
    /// Starts this same program on a free port and waits for its `ready` line. It gets the options
    /// that the demo itself was given (`--demo --workers 8` plays the lesson with 8 workers), and
    /// then `args`, which count more.
    ///
    /// # Errors
    /// It could not be started, or ended before it was ready; the message has what it said.
    pub fn start(args: &[&str]) -> Result<Self> {
        Self::begin(args)?.until_ready()
    }

    /// The same as [`Service::start`], without waiting: for a version that never gets ready.
    ///
    /// # Errors
    /// It could not be started.
    pub fn begin(args: &[&str]) -> Result<Self> {
        let given = env::args().skip(1).filter(|arg| arg != "--demo");
        let args = args.iter().chain(&["--listen", "127.0.0.1:0"]).map(ToString::to_string);
        let mut command = Command::new(env::current_exe()?);
        command.args(given.chain(args));
        Self::launch(command)
    }

    /// Starts `command`, and does not wait for anything.
    ///
    /// # Errors
    /// It could not be started.
    pub fn launch(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        isolate(&mut command);
        let mut child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;

        let said = Arc::new(Mutex::new(Said::default()));
        listen(child.stdout.take().expect("piped"), &said, |said| &mut said.stdout);
        listen(child.stderr.take().expect("piped"), &said, |said| &mut said.stderr);
        Ok(Self { child, said, address: ([127, 0, 0, 1], 0).into(), seen: BTreeSet::new() })
    }

    /// Waits until there is a `ready` line (true), or until the primary has ended (false).
    ///
    /// # Errors
    /// Neither came.
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
    /// The service ended before; the message has what it said.
    pub fn until_ready(mut self) -> Result<Self> {
        if self.ready_or_over()? {
            return Ok(self);
        }
        Err(format!("ended before it was ready; it said:\n{}", self.narration().join("\n")).into())
    }

    /// The same as [`Service::start`], for a lesson that makes no sense with a single worker.
    ///
    /// # Errors
    /// As there; or it has only one worker.
    pub fn start_several(args: &[&str]) -> Result<Self> {
        let mut service = Self::start(args)?;
        match service.workers()?.len() {
            1 => Err("this lesson needs at least 2 workers: see --workers, CLUSTER_WORKERS".into()),
            _ => Ok(service),
        }
    }

    /// The `ready` line, if it has come.
    #[must_use]
    pub fn ready_line(&self) -> Option<String> {
        self.said().stdout.iter().find(|line| line.starts_with("ready ")).cloned()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pid of the primary.
    #[must_use]
    pub fn primary(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The pids of the workers: the children of the primary that run.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn workers(&mut self) -> Result<Vec<i32>> {
        let mut running = proc::children(self.primary())?;
        running.retain(|pid| !proc::gone(*pid));
        self.seen.extend(running.iter().filter_map(|pid| Some((*pid, proc::born(*pid)?))));
        Ok(running)
    }

    /// Opens a connection that stays open between requests.
    ///
    /// # Errors
    /// It was refused or reset.
    pub fn connect(&self) -> Result<Client> {
        Client::connect(self.address)
    }

    /// Asks for `path` on a fresh connection.
    ///
    /// # Errors
    /// The connection or the request failed. There is no second try.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.connect()?.get(path)
    }

    /// Asks for `path` on `n` fresh connections at the same time.
    ///
    /// # Errors
    /// One of the requests failed.
    pub fn get_at_once(&self, n: usize, path: &str) -> Result<Vec<Answer>> {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..n).map(|_| scope.spawn(|| self.get(path))).collect();
            clients
                .into_iter()
                .map(|client| client.join().expect("a client does not panic"))
                .collect()
        })
    }

    /// The pids that answer fresh connections, asked until all of `wanted` have.
    ///
    /// # Errors
    /// A request failed, or not all of `wanted` answered in the end.
    pub fn all_answer(&self, wanted: &[i32]) -> Result<BTreeSet<i32>> {
        let mut answered = BTreeSet::new();
        wait_for(&format!("all of {wanted:?} to answer"), || {
            for reply in self
                .get_at_once(16, "/")
                .map_or_else(|error| vec![Err(error)], |all| all.into_iter().map(Ok).collect())
            {
                match reply.and_then(|reply| reply.worker()) {
                    Ok(pid) => answered.insert(pid),
                    Err(error) => return Some(Err(error)),
                };
            }
            wanted.iter().all(|pid| answered.contains(pid)).then_some(Ok(()))
        })??;
        Ok(answered)
    }

    /// Waits until `wanted` workers run and `victim` is none of them; returns the newest.
    ///
    /// # Errors
    /// It did not come to that.
    pub fn replaced(&mut self, victim: i32, wanted: usize) -> Result<i32> {
        wait_for("a replacement", || {
            let workers = self.workers().ok()?;
            let replaced = workers.len() == wanted && !workers.contains(&victim);
            replaced.then(|| workers.into_iter().max_by_key(|pid| proc::born(*pid))).flatten()
        })
    }

    /// What the service has said on stderr so far.
    #[must_use]
    pub fn narration(&self) -> Vec<String> {
        self.said().stderr.clone()
    }

    /// Waits for a line on stderr that contains `part`.
    ///
    /// # Errors
    /// It did not come.
    pub fn hears(&self, part: &str) -> Result<String> {
        wait_for(&format!("the words {part:?}"), || {
            self.said().stderr.iter().find(|line| line.contains(part)).cloned()
        })
    }

    /// Sends `signal` to the primary, or to one of its workers.
    ///
    /// # Errors
    /// There is no such process.
    pub fn signal(&self, pid: i32, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(pid), signal)?)
    }

    /// Sends `signal` to the primary and waits until it has ended.
    ///
    /// # Errors
    /// It did not end, or left workers behind.
    pub fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.workers()?;
        self.signal(self.primary(), signal)?;
        let status = self.ended()?;
        wait_for("the workers to end with their primary", || self.left().is_empty().then_some(()))?;
        Ok(status)
    }

    /// Waits until the primary has ended by itself.
    ///
    /// # Errors
    /// It did not.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        wait_for("the primary to end", || self.child.try_wait().transpose())?.map_err(Into::into)
    }

    /// Waits until `n` lines on stderr contain `part`.
    ///
    /// # Errors
    /// They did not come.
    pub fn hears_times(&self, part: &str, n: usize) -> Result<()> {
        wait_for(&format!("{n} times the words {part:?}"), || {
            let heard = self.said().stderr.iter().filter(|line| line.contains(part)).count();
            (heard >= n).then_some(())
        })
    }

    /// The workers that still run. A pid may be given to somebody else once it is free; the time
    /// of birth tells them apart.
    fn left(&self) -> Vec<i32> {
        let alive = |(pid, born): &(i32, u64)| !proc::gone(*pid) && proc::born(*pid) == Some(*born);
        self.seen.iter().copied().filter(alive).map(|(pid, _)| pid).collect()
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Service {
    /// Ends what still runs, also when a test has failed half-way.
    fn drop(&mut self) {
        let _ = self.workers();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in self.left() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Collects the lines of one stream on a thread of its own, so that the service never blocks on a
/// full pipe.
fn listen(
    stream: impl Read + Send + 'static,
    said: &Arc<Mutex<Said>>,
    of: fn(&mut Said) -> &mut Vec<String>,
) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(std::result::Result::ok) {
            of(&mut said.lock().unwrap_or_else(PoisonError::into_inner)).push(line);
        }
    });
}

/// Ties the child to the thread that starts it, so that a test or demo that is killed leaves
/// nothing behind; and keeps from it whatever descriptors this process was started with, so that
/// what is open in a worker is the example's doing.
#[allow(unsafe_code)]
fn isolate(command: &mut Command) {
    let isolate = || {
        set_pdeathsig(Signal::SIGKILL)?;
        // SAFETY: it changes a flag of descriptors; those that are not open are passed over.
        let done =
            unsafe { libc::close_range(3, c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC.cast_signed()) };
        Ok(Errno::result(done).map(drop)?)
    };
    // SAFETY: the closure runs between fork and exec and does two system calls.
    unsafe { command.pre_exec(isolate) };
}
