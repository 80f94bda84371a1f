//! The sources of a worker's connections, and the answers to them.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::Worker;
use super::door::Door;
use super::feed::{Fed, Held};
use crate::Result;
use crate::channel::message::ToPrimary;
use crate::http::{Answerable, HttpService, Phase, Transport};
use crate::listener::{Peer, Stream};

/// Connections as they arrive at one listener, until the worker begins to leave.
///
/// A worker counts as ready when it has taken all its listeners. No connection arrives before that.
pub struct Arrivals {
    door: Option<Door>,
    worker: Worker,
    phase: watch::Receiver<Phase>,
}

impl Worker {
    /// Answers the requests that arrive at the default listener, HTTP/1.1 and HTTP/2, until the
    /// worker begins to leave; then drains, and returns.
    ///
    /// # Errors
    /// The listener has already been taken.
    pub async fn serve_http<S, B>(&self, service: S) -> Result<()>
    where
        S: HttpService<B>,
        B: Answerable,
    {
        let name = self.0.doors.names[0].clone();
        self.serve_http_on(&name, service).await
    }

    /// The same for the listener of this name. Run it alongside others in one task
    /// (`tokio::try_join!`): the worker is ready when all its listeners are served.
    ///
    /// # Errors
    /// There is no such listener, or it has already been taken.
    pub async fn serve_http_on<S, B>(&self, name: &str, service: S) -> Result<()>
    where
        S: HttpService<B>,
        B: Answerable,
    {
        let mut arrivals = self.arrivals(name).await?;
        arrivals.open().await?;
        let http = &self.0.http;
        while let Some(arrival) = arrivals.next_when(http.has_room()).await {
            let peer = arrival.peer;
            http.serve(arrival, peer, service.clone());
        }
        http.drained().await;
        Ok(())
    }

    /// Takes a listener, to serve a protocol other than HTTP from it.
    ///
    /// # Errors
    /// There is no such listener, or it has already been taken.
    pub async fn arrivals(&self, name: &str) -> Result<Arrivals> {
        let (door, left) = self.0.doors.take(name)?;
        let news = if left.is_empty() { ToPrimary::Ready } else { ToPrimary::WaitsFor(left) };
        self.0.link.send(&news).await?;
        Ok(Arrivals { door: Some(door), worker: self.clone(), phase: self.0.phase.clone() })
    }
}

impl Arrivals {
    /// The next connection; `None` when the worker is leaving and no more will come.
    pub async fn next(&mut self) -> Option<Arrival> {
        if let Err(error) = self.open().await {
            tracing::error!("{error}");
            return None;
        }
        self.next_when(std::future::ready(())).await
    }

    /// Waits until the primary lets this worker accept, or orders it to leave.
    async fn open(&mut self) -> Result<()> {
        let mut admitted = self.worker.0.doors.admitted.clone();
        tokio::select! {
            _ = admitted.wait_for(|admitted| *admitted) => {}
            _ = self.phase.wait_for(|phase| *phase != Phase::Serving) => return Ok(()),
        }
        self.door.as_mut().map_or(Ok(()), Door::open)
    }

    /// The same, but accepts only when there is `room`. At the end it takes every remaining
    /// connection: their clients have been accepted, or are waiting in a queue that is about to be
    /// closed.
    async fn next_when(&mut self, room: impl Future<Output = ()>) -> Option<Arrival> {
        let door = self.door.as_mut()?;
        if *self.phase.borrow() == Phase::Serving {
            let leaving = self.phase.wait_for(|phase| *phase != Phase::Serving);
            tokio::select! {
                biased;
                _ = leaving => {}
                Some(arrival) = door.accept(room) => return Some(arrival),
            }
        }
        let rest = self.remainder().await;
        if rest.is_none() {
            self.close();
        }
        rest
    }

    /// A connection that is still to be served. During a stop the listener's queue is emptied;
    /// during a drain others accept from it. Connections handed to this worker are its own in both
    /// cases.
    async fn remainder(&mut self) -> Option<Arrival> {
        let door = self.door.as_mut()?;
        if self.phase.borrow().is_stop()
            && let Some(arrival) = door.take_waiting()
        {
            return Some(arrival);
        }
        // A door accepts from its own socket; without one, it accepts what it is fed.
        if door.shut() {
            self.report_closed();
        }
        self.door.as_mut()?.fed().await
    }

    /// Closes the door: no more connections will come.
    fn close(&mut self) {
        self.report_closed();
        self.door = None;
    }

    /// Reports that the worker no longer accepts connections, if this listener was the last open one.
    fn report_closed(&mut self) {
        let Some(door) = self.door.as_mut().filter(|door| !door.closed) else { return };
        door.closed = true;
        let doors = &self.worker.0.doors;
        if doors.closed.fetch_add(1, Ordering::Relaxed) + 1 == doors.names.len() {
            self.worker.0.link.send_soon(&ToPrimary::StoppedAccepting);
        }
    }
}

/// A connection, and its other side.
#[derive(Debug)]
pub struct Arrival {
    stream: Stream,
    /// The other side.
    pub peer: Peer,
    _held: Option<Held>,
}

impl From<(Stream, Peer)> for Arrival {
    fn from((stream, peer): (Stream, Peer)) -> Self {
        Self { stream, peer, _held: None }
    }
}

impl From<Fed> for Arrival {
    fn from(Fed { stream, peer, held }: Fed) -> Self {
        Self { stream, peer, _held: held }
    }
}

impl AsyncRead for Arrival {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Arrival {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Transport for Arrival {
    fn has_bytes(&self) -> bool {
        self.stream.has_bytes()
    }

    fn has_hung_up(&self) -> bool {
        self.stream.has_hung_up()
    }
}
