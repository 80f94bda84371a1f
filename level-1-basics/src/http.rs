//! HTTP/1.1 with keep-alive for one worker. This is all the hyper, Tokio and `async` of level 1: an
//! example passes in a source of connections and a plain function that answers.
//!
//! A worker's life here: start a runtime (after the fork, never before it), report that it is ready,
//! accept and answer until SIGTERM comes, then finish what is in flight and return.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use nix::sys::signal::{SigSet, Signal};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::process::GRACE;
use lab::{Result, say};

/// The time that a worker gives its last requests: less than its primary gives the worker.
const PATIENCE: Duration = Duration::from_secs(GRACE.as_secs() - 1);

/// A request whose head has arrived.
pub type Request = hyper::Request<Incoming>;

/// An answer whose body is complete.
pub type Reply = hyper::Response<Full<Bytes>>;

/// The part that an example writes: it turns a request into an answer, in ordinary blocking Rust.
pub trait Handler: Fn(&Request) -> Reply + Clone + Send + Sync + 'static {}
impl<F: Fn(&Request) -> Reply + Clone + Send + Sync + 'static> Handler for F {}

/// The source of a worker's connections.
pub enum Source {
    /// A listening socket: the worker accepts for itself.
    Listener(TcpListener),
    /// Another process accepts, and sends each connection over this channel; the function receives
    /// one. `WouldBlock` means that there is none at the moment, `Ok(None)` that no more will come.
    HandOff(UnixStream, Receive),
}

/// Receives one connection that another process has accepted.
pub type Receive = fn(&UnixStream) -> io::Result<Option<std::net::TcpStream>>;

impl From<TcpListener> for Source {
    fn from(listener: TcpListener) -> Self {
        Self::Listener(listener)
    }
}

/// The threads that run the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// One thread does everything, as in Node: a handler that computes holds up all the others.
    One,
    /// Tokio's multi-thread runtime with this many threads.
    Many(usize),
    /// One thread moves the bytes; handlers run on the blocking pool (`spawn_blocking`).
    BlockingPool,
}

/// Answers every request that arrives on `source` with `handler`, on one thread, until SIGTERM;
/// calls `ready` as soon as connections are accepted.
///
/// # Errors
/// The runtime could not start, or `ready` failed.
pub fn serve(
    source: impl Into<Source>,
    ready: impl FnOnce() -> io::Result<()>,
    handler: impl Handler,
) -> Result<()> {
    serve_on(Threads::One, source, ready, handler)
}

/// The same as [`serve`], on the threads of your choice.
///
/// # Errors
/// The same as those of [`serve`].
pub fn serve_on(
    threads: Threads,
    source: impl Into<Source>,
    ready: impl FnOnce() -> io::Result<()>,
    handler: impl Handler,
) -> Result<()> {
    let runtime = runtime(threads)?;
    let served = runtime.block_on(accept_until_sigterm(threads, source, ready, handler));
    runtime.shutdown_background(); // a handler that is still computing has had its time
    served
}

fn runtime(threads: Threads) -> io::Result<Runtime> {
    // Tokio panics if there is no room for its six descriptors, so check for it first.
    drop((UnixStream::pair()?, UnixStream::pair()?, UnixStream::pair()?));
    match threads {
        Threads::One | Threads::BlockingPool => Builder::new_current_thread().enable_all().build(),
        Threads::Many(n) => Builder::new_multi_thread().worker_threads(n).enable_all().build(),
    }
}

/// A [`Source`] that the runtime watches.
enum Arrivals {
    Listener(tokio::net::TcpListener),
    HandOff(tokio::net::UnixStream, UnixStream, Receive),
}

impl Arrivals {
    fn from(source: Source) -> io::Result<Self> {
        // O_NONBLOCK belongs to the open socket, and so to all workers that share it.
        match source {
            Source::Listener(listener) => {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener).map(Self::Listener)
            }
            Source::HandOff(channel, receive) => {
                channel.set_nonblocking(true)?;
                let watched = tokio::net::UnixStream::from_std(channel.try_clone()?)?;
                Ok(Self::HandOff(watched, channel, receive))
            }
        }
    }

    /// The next connection. When several workers wake up for the same one, all but the fastest
    /// find nothing and wait again.
    async fn next(&self) -> io::Result<Option<TcpStream>> {
        match self {
            Self::Listener(listener) => listener.accept().await.map(|(stream, _)| Some(stream)),
            Self::HandOff(watched, channel, receive) => {
                let received = watched.async_io(Interest::READABLE, || receive(channel)).await?;
                received
                    .map(|stream| {
                        stream.set_nonblocking(true)?;
                        TcpStream::from_std(stream)
                    })
                    .transpose()
            }
        }
    }
}

async fn accept_until_sigterm(
    threads: Threads,
    source: impl Into<Source>,
    ready: impl FnOnce() -> io::Result<()>,
    handler: impl Handler,
) -> Result<()> {
    // The primary blocked its signals before the fork, so a SIGTERM that came early is pending.
    // First the handler, then the unblocking: now it is delivered, and not lost. The handler stays
    // until the end, so that another SIGTERM, from outside or from the primary, changes nothing.
    let mut sigterm = signal(SignalKind::terminate())?;
    SigSet::from_iter([Signal::SIGTERM]).thread_unblock()?;

    let source = Arrivals::from(source.into())?;
    let connections = GracefulShutdown::new();
    ready()?;
    loop {
        let stream = tokio::select! {
            _ = sigterm.recv() => break,
            next = source.next() => match next {
                Ok(Some(stream)) => stream,
                Ok(None) => break,
                Err(error) => { pause_after(&error).await; continue }
            },
        };
        if let Err(error) = answer(threads, stream, handler.clone(), &connections) {
            say!("worker: lost a connection before its first request: {error}");
        }
    }

    drop(source);
    // Idle connections are closed, and requests in flight are finished, within a limited time.
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(PATIENCE) => say!("worker: gave up on requests that took too long"),
    }
    Ok(())
}

/// Reads and answers the requests of one connection, in a task of its own.
fn answer(
    threads: Threads,
    stream: TcpStream,
    handler: impl Handler,
    connections: &GracefulShutdown,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let io = TokioIo::new(stream);
    let service = service_fn(move |request| {
        let handler = handler.clone();
        async move {
            Ok::<_, Infallible>(match threads {
                Threads::BlockingPool => on_the_blocking_pool(handler, request).await,
                Threads::One | Threads::Many(_) => handler(&request),
            })
        }
    });
    // With a timer, hyper gives a client 30 s to send the head of a request, and then hangs up.
    // A client may close its half of the connection after its request (`printf … | nc -N`), and wait.
    // By default, hyper would take its FIN for the end of the client, and drop the answer.
    let mut http = http1::Builder::new();
    let connection = http.timer(TokioTimer::new()).half_close(true).serve_connection(io, service);
    // An error here means that the client went away: it will not read an answer, so none is owed.
    let connection = connections.watch(connection);
    tokio::spawn(async move { drop(connection.await) });
    Ok(())
}

async fn on_the_blocking_pool(handler: impl Handler, request: Request) -> Reply {
    match tokio::task::spawn_blocking(move || handler(&request)).await {
        Ok(reply) => reply,
        Err(_) => status(500, "the handler panicked\n"),
    }
}

/// An error from accept must neither end the worker nor make it spin. The one that lasts is EMFILE
/// (out of descriptors): the connection stays in the listener's queue until another one is closed.
async fn pause_after(error: &io::Error) {
    if error.kind() != ErrorKind::ConnectionAborted {
        say!("worker: cannot accept at the moment: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A text answer with status 200.
#[must_use]
pub fn text(body: impl Into<Bytes>) -> Reply {
    status(200, body)
}

/// A text answer with the given status code.
#[must_use]
pub fn status(code: u16, body: impl Into<Bytes>) -> Reply {
    hyper::Response::builder()
        .status(code)
        .header("content-type", "text/plain; charset=utf-8")
        .body(Full::new(body.into()))
        .expect("the status codes of this workbook are valid")
}

/// The value of `name` in the query of `request`, as it was sent: `n` in `/compute?n=40`.
#[must_use]
pub fn query<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let pairs = request.uri().query()?.split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
