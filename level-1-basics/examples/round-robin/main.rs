//! Three ways to share one port, and how evenly each of them spreads the connections.
//!
//! ```console
//! $ cargo run -p level-1 --example round-robin -- --share hand-off
//! $ for i in 1 2 3 4 5 6; do curl -s http://127.0.0.1:8000; done         # in a second terminal
//! $ ss -ltnp 'sport = :8000'                          # which processes listen? try other ways, too
//! ```
//!
//! Look for: strict turns only where the primary hands them out.
//!
//! ```text
//!  shared-listener          reuse-port               hand-off
//!
//!      one socket           a socket for each        the primary accepts, and sends
//!     one queue ▒▒▒          ▒      ▒      ▒         each connection to the next one
//!    ┌────┼────┐            │      │      │               ┌────┼────┐
//!    W    W    W            W      W      W               W    W    W
//!  the first to wake      the kernel: a hash of        1, 2, 3, 1, 2, 3 …
//!                         both addresses and ports
//! ```

mod demo;
mod hand_off;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use lab::args::{self, Common, cannot_listen};
use lab::{Result, narrate};
use level_1::http::{self, Source};
use level_1::process::{die_with, end_worker, fork, watch};
use level_1::readiness;
use level_1::signals::{PRIMARY_READS, block};
use nix::sys::signalfd::SignalFd;
use nix::unistd::{ForkResult, Pid, getpid};
use socket2::{Domain, Socket, Type};

/// Three ways to share a port: shared listener, reuse-port, hand-off
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// The way that the workers share the port
    #[arg(long, value_name = "WAY", default_value = "hand-off")]
    share: Share,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Share {
    /// One listening socket, inherited by all; the first worker to wake up accepts
    SharedListener,
    /// A listening socket for each worker; the kernel chooses by a hash
    ReusePort,
    /// The primary accepts and sends each connection to the next worker
    HandOff,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// The primary does not close its copy of a connection that it handed off
    KeepCopy,
    /// The primary hands every connection to the first worker
    FirstOnly,
}

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { primary(&args) })
}

fn primary(args: &Args) -> Result<()> {
    let n = args.common.workers.get();
    let signals = block(&PRIMARY_READS)?;
    match args.share {
        Share::SharedListener => accept_by_workers(signals, shared(&args.common, n)?),
        Share::ReusePort => accept_by_workers(signals, reuse_port(args.common.listen, n)?),
        Share::HandOff => {
            let listener = args.common.bind()?;
            listener.set_nonblocking(true)?;
            let (ours, theirs) = hand_off::channels(n)?;
            let (workers, (signals, listener, ours)) =
                fork_workers(theirs, (signals, listener, ours))?;
            hand_off::in_turn(&signals, &listener, &ours, workers, args.wrong)
        }
    }
}

/// The first two ways: the primary hands the sockets down, and has nothing to do with connections.
fn accept_by_workers(signals: SignalFd, listeners: Vec<TcpListener>) -> Result<()> {
    let (address, n) = (listeners[0].local_addr()?, listeners.len());
    let (workers, signals) = fork_workers(listeners, signals)?;
    if readiness::answers(address, &signals)? {
        narrate::ready(address, n);
    }
    watch(&signals, workers)
}

/// One socket, so one queue: the copies are only descriptors for it.
fn shared(common: &Common, n: usize) -> Result<Vec<TcpListener>> {
    let listener = common.bind()?;
    let mut listeners = (1..n).map(|_| listener.try_clone()).collect::<io::Result<Vec<_>>>()?;
    listeners.push(listener);
    Ok(listeners)
}

/// A socket and a queue for each worker. A second copy of this program could bind the same port
/// with the same option, and take its share of the clients: so first check that the port is free.
fn reuse_port(mut address: SocketAddr, n: usize) -> Result<Vec<TcpListener>> {
    if address.port() != 0 {
        drop(TcpListener::bind(address).map_err(|error| cannot_listen(address, &error))?);
    }
    let mut listeners = Vec::new();
    for _ in 0..n {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into()).map_err(|error| cannot_listen(address, &error))?;
        socket.listen(1024)?;
        let listener = TcpListener::from(socket);
        address = listener.local_addr()?; // the port that the kernel chose is for all of them
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Forks a worker for each source; `private` belongs to the primary, and is closed in all of them.
fn fork_workers<T>(mut sources: Vec<impl Into<Source>>, private: T) -> Result<(Vec<Pid>, T)> {
    let me = getpid();
    let mut workers = Vec::new();
    for i in 0..sources.len() {
        match fork()? {
            ForkResult::Parent { child } => workers.push(child),
            ForkResult::Child => {
                let source = sources.swap_remove(i);
                drop((sources, private)); // neither the others' nor the primary's are ours
                end_worker(worker(me, source))
            }
        }
    }
    Ok((workers, private))
}

fn worker(primary: Pid, source: impl Into<Source>) -> Result<()> {
    die_with(primary)?;
    let hello = format!("Hello from worker {}\n", getpid());
    http::serve(source, || Ok(()), move |_| http::text(hello.clone()))
}
