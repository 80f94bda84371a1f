//! The accept loop, and HTTP on the accepted connections.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::Api;
use super::room::{Room, Seat};

/// The timeout for a request's head, counted from the end of the previous answer.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// The limit of a request's head, in bytes.
const HEAD_SIZE: usize = 16 << 10;
/// The timeout for answers that are on their way when the server stops.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// The pause between attempts while no connection can be accepted, for example for lack of
/// descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// A source of connections.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub fn tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        TcpListener::from_std(listener).map(Self::Tcp)
    }

    pub fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        UnixListener::from_std(listener).map(Self::Unix)
    }

    async fn accept(&self) -> io::Result<Either<TcpStream, UnixStream>> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| Either::Left(stream)),
            Self::Unix(listener) => {
                listener.accept().await.map(|(stream, _)| Either::Right(stream))
            }
        }
    }
}

/// Serves the connections of the newest listener, until `stop` is cancelled. A listener is closed
/// as soon as a newer one arrives; its connections stay open.
pub(super) async fn run(
    mut listeners: UnboundedReceiver<Listener>,
    api: Arc<Api>,
    stop: CancellationToken,
) {
    let mut room = Room::default();
    let connections = TaskTracker::new();
    let mut listener = None;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(newest) = listeners.recv() => {
                listener = Some(newest);
                continue;
            }
            accepted = accept(listener.as_ref()) => accepted,
        };
        match accepted {
            // Without a free seat the stream is dropped, which closes it.
            Ok(stream) => {
                if let Some(seat) = room.take() {
                    connections.spawn(serve(stream, seat, Arc::clone(&api), stop.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the admin API cannot accept a connection");
                sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let _ = timeout(LAST_WORDS, connections.wait()).await;
}

/// Accepts a connection; without a listener it waits forever.
async fn accept(listener: Option<&Listener>) -> io::Result<Either<TcpStream, UnixStream>> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

/// Serves one connection. Errors concern only its client.
async fn serve<S>(stream: S, seat: Arc<Seat>, api: Arc<Api>, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service =
        service_fn(|request| async { Ok::<_, Infallible>(api.answer(request, &seat).await) });
    // A client that has only closed its half (`nc -N`) still gets its answer. A client that is gone
    // keeps its seat until its answer is ready, which is soon, or at the end of a change.
    let connection = http1::Builder::new()
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = seat.left() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
