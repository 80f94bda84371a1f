//! One port, several processes, and a primary that replaces workers that die.
//!
//! ```console
//! $ cargo run -p level-1 --example basic-cluster      # then, in a second terminal:
//! $ for i in 1 2 3 4 5 6 7 8 9 10; do curl -s http://127.0.0.1:8000; done
//! $ kill -9 PID                                       # a worker's pid; then curl again
//! ```
//!
//! Look for: several pids behind one address; a new pid after the kill; an empty `ps` after Ctrl-C.
//!
//! ```text
//!                  ┌────────────── primary ──────────────┐
//!                  │ binds the port, forks, reaps, waits │   it never answers a request
//!                  └──┬───────────────┬───────────────┬──┘
//!                fork │          fork │          fork │
//!                 worker 1        worker 2        worker 3     each has the same listening
//!                  accept          accept          accept      socket and its own memory
//! ```

mod demo;

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::process::{ExitCode, exit};
use std::thread;
use std::time::{Duration, Instant};

use lab::args::{self, Common};
use lab::{Result, narrate, say};
use level_1::http;
use level_1::process::{die_with, end_worker, fork, reap_all, stop, tell_end};
use level_1::signals::{PRIMARY_READS, asked_to_stop, block, pending, poll_readable, readable};
use nix::unistd::{ForkResult, Pid, getpid};

/// N workers share one port; a dead one is replaced
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// The primary does not replace a worker that died
    NoReplacement,
    /// The workers keep serving when the primary is killed (for a minute)
    Orphans,
    /// Every worker dies before it is ready
    CrashAtBoot,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { primary(&args) })
}

/// The primary: forks, waits for news, reaps, replaces. It has a single thread, forever.
fn primary(args: &Args) -> Result<()> {
    let listener = args.common.bind()?; // once, here: every worker inherits this very socket
    let address = listener.local_addr()?;
    let signals = block(&PRIMARY_READS)?;
    let (mut reader, writer) = io::pipe()?; // the workers report on it that they are ready
    let me = getpid();
    let mut crew = Crew { wanted: args.common.workers.get(), ..Crew::default() };
    let mut announced = false;
    loop {
        while crew.may_fork(Instant::now()) {
            match fork() {
                Ok(ForkResult::Parent { child }) => crew.forked(child),
                Ok(ForkResult::Child) => {
                    drop((signals, reader)); // the primary's; the rest we inherited on purpose
                    end_worker(worker(args.wrong, me, listener, writer)); // never back into this loop
                }
                Err(error) if announced => crew.pause(&error.to_string()), // the others keep serving
                Err(error) => return Err(error),
            }
        }
        poll_readable(&[signals.as_fd(), reader.as_fd()], crew.pause_ends)?;
        if let Some(request) = asked_to_stop(&pending(&signals)?) {
            drop(listener); // once the workers have closed theirs, new clients are refused
            return stop(&signals, request, crew.workers.into_keys());
        }

        // The order matters. A worker may report that it is ready and die right after: so reap first,
        // then read the reports, and only then judge the deaths.
        let dead = reap_all()?;
        while readable(&reader)? {
            crew.ready(read_pid(&mut reader)?);
        }
        for (pid, status) in dead {
            if crew.workers.contains_key(&pid) {
                tell_end(pid, status); // as process 1 we also reap orphans that are not workers
                crew.died(pid);
            }
        }
        if !announced && crew.all_ready() {
            narrate::ready(address, crew.wanted);
            announced = true;
        }
        if announced && args.wrong == Some(Wrong::NoReplacement) {
            crew.wanted = 0; // so no replacement is ever missing
        }
    }
}

/// A worker: a copy of the primary that goes its own way from here.
fn worker(
    wrong: Option<Wrong>,
    primary: Pid,
    listener: TcpListener,
    mut ready: PipeWriter,
) -> Result<()> {
    match wrong {
        Some(Wrong::CrashAtBoot) => return Err("crashing at boot, as requested".into()),
        Some(Wrong::Orphans) => drop(thread::spawn(end_after_a_minute)),
        _ => die_with(primary)?,
    }
    let hello = format!("Hello from worker {}\n", getpid());
    let ready = move || ready.write_all(&getpid().as_raw().to_ne_bytes());
    http::serve(listener, ready, move |_| http::text(hello.clone()))
}

/// Even an orphan ends at some point.
fn end_after_a_minute() {
    thread::sleep(Duration::from_secs(60));
    exit(0)
}

/// The workers as the primary knows them, and its rule for replacing them.
#[derive(Default)]
struct Crew {
    wanted: usize,
    /// Each worker, and whether it has reported that it is ready.
    workers: BTreeMap<Pid, bool>,
    /// The number of latest deaths, in a row, that happened before the worker was ready.
    early_deaths: u32,
    pause_ends: Option<Instant>,
}

impl Crew {
    fn may_fork(&self, now: Instant) -> bool {
        self.workers.len() < self.wanted && self.pause_ends.is_none_or(|end| end <= now)
    }

    fn forked(&mut self, pid: Pid) {
        say!("primary: forked worker {pid}");
        self.workers.insert(pid, false);
        self.pause_ends = None;
    }

    fn ready(&mut self, pid: Pid) {
        self.workers.insert(pid, true);
    }

    fn all_ready(&self) -> bool {
        self.workers.len() == self.wanted && self.workers.values().all(|ready| *ready)
    }

    /// A replacement is forked at once, unless the last three died before they were ready: a program
    /// that cannot start must not become a fork bomb.
    fn died(&mut self, pid: Pid) {
        let was_ready = self.workers.remove(&pid) == Some(true);
        self.early_deaths = if was_ready { 0 } else { self.early_deaths + 1 };
        if was_ready {
            self.pause_ends = None;
        } else if self.early_deaths >= 3 && self.pause_ends.is_none() {
            self.pause("the last three workers died before they were ready");
        }
    }

    fn pause(&mut self, why: &str) {
        say!("primary: {why}; next try in 1 s");
        self.pause_ends = Some(Instant::now() + Duration::from_secs(1));
    }
}

/// Four bytes from one worker: a write this small is never mixed with another (`man 7 pipe`).
fn read_pid(ready: &mut PipeReader) -> Result<Pid> {
    let mut pid = [0; 4];
    ready.read_exact(&mut pid)?;
    Ok(Pid::from_raw(i32::from_ne_bytes(pid)))
}
