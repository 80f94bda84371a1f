//! The life of a worker as its primary sees it: fork, online, listening, disconnect, exit.
//!
//! ```console
//! $ cargo run -p level-1 --example worker-events
//! $ kill -9 PID                                       # a worker's pid, in a second terminal
//! $ curl 'http://127.0.0.1:8000/exit?code=3'
//! ```
//!
//! Look for: five events for each worker, each once and in this order; a code or a signal at the
//! end, never both; every few seconds a line with the memory that each worker adds.
//!
//! No worker is replaced here, as in Node, where `cluster` reports and the rest is up to you.

mod demo;

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::iter;
use std::net::TcpListener;
use std::process::{ExitCode, exit};
use std::time::{Duration, Instant};

use lab::args::{self, Common};
use lab::proc;
use lab::{Result, narrate, say};
use level_1::http::{self, Reply, Request};
use level_1::process::{ALL_ENDED, die_with, end_worker, fork, how_it_ended, reap, stop_with};
use level_1::signals::{PRIMARY_READS, asked_to_stop, block, pending, poll_channels, readable};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::{ForkResult, Pid, getpid};

/// Logs what happens to each worker, as it happens
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The time between two counts of the workers online, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// The primary reaps one worker for each SIGCHLD
    OneWaitPerSignal,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { primary(&args) })
}

fn primary(args: &Args) -> Result<()> {
    let listener = args.common.bind()?;
    let address = listener.local_addr()?;
    let signals = block(&PRIMARY_READS)?;
    let me = getpid();
    let mut workers: BTreeMap<Pid, Worker> = BTreeMap::new();
    for id in 1..=args.common.workers.get() {
        let (reader, writer) = io::pipe()?;
        match fork()? {
            ForkResult::Parent { child } => {
                let worker = Worker { id, pid: child, channel: Some(reader), listening: false };
                worker.tell("fork", "");
                workers.insert(child, worker);
            }
            ForkResult::Child => {
                drop((signals, reader, workers));
                end_worker(worker(me, listener, &writer))
            }
        }
    }
    drop(listener);

    let every = Duration::from_secs(args.every);
    let (mut next_line, mut announced) = (Instant::now() + every, false);
    while !workers.is_empty() {
        let channels =
            workers.iter().filter_map(|(pid, worker)| Some((*pid, worker.channel.as_ref()?)));
        for pid in poll_channels(&signals, channels, Some(next_line))? {
            workers.get_mut(&pid).expect("it was polled").read_events()?;
        }
        let news = pending(&signals)?;
        if let Some(request) = asked_to_stop(&news) {
            let pids: Vec<Pid> = workers.keys().copied().collect();
            return stop_with(&signals, request, pids, |pid, status| {
                ended(&mut workers, pid, status);
            });
        }
        // Several exits may have become one SIGCHLD: reap until there is nothing left to reap.
        let at_most = match args.wrong {
            Some(Wrong::OneWaitPerSignal) => usize::from(news.contains(&Signal::SIGCHLD)),
            None => usize::MAX,
        };
        for (pid, status) in
            iter::from_fn(|| reap().transpose()).take(at_most).collect::<Result<Vec<_>>>()?
        {
            ended(&mut workers, pid, status);
        }
        if !announced && !workers.is_empty() && workers.values().all(|worker| worker.listening) {
            narrate::ready(address, workers.len());
            announced = true;
        }
        if next_line <= Instant::now() {
            tell_memory(&workers);
            next_line = Instant::now() + every;
        }
    }
    Err(ALL_ENDED.into())
}

/// A worker as the primary knows it, and the pipe on which its events arrive.
struct Worker {
    id: usize,
    pid: Pid,
    /// Empty once the worker has hung up.
    channel: Option<PipeReader>,
    listening: bool,
}

impl Worker {
    fn tell(&self, event: &str, detail: &str) {
        say!("primary: event {event:<10} worker {} pid {}{detail}", self.id, self.pid);
    }

    /// Reads the events that the worker has sent. Each is one byte, so none can arrive in part.
    fn read_events(&mut self) -> Result<()> {
        let Some(channel) = &mut self.channel else { return Ok(()) };
        let mut bytes = [0; 16];
        let n = channel.read(&mut bytes)?;
        for byte in &bytes[..n] {
            self.listening |= *byte == LISTENING;
            self.tell(if *byte == LISTENING { "listening" } else { "online" }, "");
        }
        if n == 0 {
            self.channel = None;
            self.tell("disconnect", "");
        }
        Ok(())
    }
}

const ONLINE: u8 = b'o';
const LISTENING: u8 = b'l';

/// Logs the last event. The pipe is emptied first: a worker's events come before its end, even if both
/// arrive at the same time. The end of the pipe is not awaited: a child of the worker may hold it open.
fn ended(workers: &mut BTreeMap<Pid, Worker>, pid: Pid, status: WaitStatus) {
    let Some(mut worker) = workers.remove(&pid) else { return };
    while worker.channel.as_ref().is_some_and(|channel| readable(channel).unwrap_or(false)) {
        let _ = worker.read_events();
    }
    worker.tell("exit", &format!(": {}", how_it_ended(status)));
}

/// PSS shares a page evenly among the processes that map it, so the sum is the memory really used.
fn tell_memory(workers: &BTreeMap<Pid, Worker>) {
    let pss = |pid: &Pid| proc::pss(pid.as_raw()).ok(); // it may have ended a moment ago
    let each: Vec<u64> = workers.keys().filter_map(pss).map(|bytes| bytes / 1024).collect();
    let sum: u64 = each.iter().sum();
    let terms: Vec<String> = each.iter().map(ToString::to_string).collect();
    say!("primary: {} workers online, {} = {sum} KiB in all", each.len(), terms.join(" + "));
}

fn worker(primary: Pid, listener: TcpListener, mut channel: &PipeWriter) -> Result<()> {
    die_with(primary)?;
    channel.write_all(&[ONLINE])?;
    http::serve(listener, || channel.write_all(&[LISTENING]), answer)
}

fn answer(request: &Request) -> Reply {
    if request.uri().path() == "/exit" {
        exit(http::query(request, "code").and_then(|code| code.parse().ok()).unwrap_or(1));
    }
    http::text(format!("Hello from worker {}\n", getpid()))
}
