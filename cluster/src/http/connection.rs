//! The task of one connection, from the first byte to the FIN.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::bounds::{Answerable, HttpService};
use super::incoming::Incoming;
use super::linger::linger;
use super::phase::{Phase, changed, cut};
use super::progress::Progress;
use super::server::Shared;
use super::service::Handler;
use super::stage::Stage;
use super::tap::Tap;
use super::transport::Transport;
use super::wire::Wire;
use crate::listener::Peer;

const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// No request has this method: it is reserved for the preface.
const HTTP2_METHOD: &[u8] = b"PRI";
const HTTP2_STREAMS: u32 = 200;
/// hyper does not accept a smaller buffer.
const SMALLEST_BUFFER: usize = 8192;
const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// One connection.
pub(super) struct Connection<IO, S> {
    wire: Arc<Wire<IO>>,
    progress: Arc<Progress>,
    handler: Handler<S>,
    phase: watch::Receiver<Phase>,
    alarm: Alarm,
    /// Cancelled when the last tap is dropped.
    released: CancellationToken,
}

/// The end of a connection.
enum Ending {
    /// With a FIN, after these last bytes.
    Closed(&'static [u8]),
    /// At once: the deadline has passed, or the client is gone.
    Cut,
}

/// The reason why [`Connection::step`] has returned.
enum Step<T> {
    /// The polled future is done.
    Done(T),
    /// A due time has been reached, or the phase has changed.
    Look,
    /// The deadline has passed.
    Cut,
}

impl<IO, S, B> Connection<IO, S>
where
    IO: Transport,
    S: HttpService<B> + Service<Request<Incoming>, Response = Response<B>>, // which names B
    B: Answerable,
{
    pub(super) fn new(io: IO, peer: Peer, service: S, shared: Arc<Shared>) -> Self {
        let phase = shared.watch_phase();
        let progress = Arc::new(Progress::new(shared.limits, phase.clone()));
        let handler = Handler { service, shared, progress: Arc::clone(&progress), peer };
        let (wire, released) = (Arc::new(Wire::new(io)), CancellationToken::new());
        Self { wire, progress, handler, phase, alarm: Alarm::default(), released }
    }

    pub(super) async fn run(mut self) {
        let ending = self.speak().await;
        let io = self.wire.take();
        if let (Some(io), Ending::Closed(last_words)) = (io, ending) {
            tokio::select! {
                () = linger(io, last_words) => {}
                () = cut(&mut self.phase) => {}
            }
        }
    }

    async fn speak(&mut self) -> Ending {
        let mut seen = Vec::new();
        match self.sniff(&mut seen).await {
            Some(true) => self.http2(seen.into()).await,
            Some(false) => self.http1(seen.into()).await,
            None => Ending::Cut,
        }
    }

    /// Reads until it is clear whether the client speaks HTTP/2. A client that sends nothing, or too
    /// little, is treated as HTTP/1.
    async fn sniff(&mut self, seen: &mut Vec<u8>) -> Option<bool> {
        let mut tap = self.tap(Bytes::new());
        while HTTP2_PREFACE.starts_with(seen) && seen.len() < HTTP2_PREFACE.len() {
            match self.step(|cx| poll_some(&mut tap, cx, seen)).await {
                Step::Done(true) if seen.starts_with(HTTP2_METHOD) => self.progress.prefaced(),
                Step::Done(true) | Step::Look => {}
                Step::Done(false) => return Some(false),
                Step::Cut => return None,
            }
        }
        Some(seen.starts_with(HTTP2_PREFACE))
    }

    async fn http1(&mut self, mut unread: Bytes) -> Ending {
        loop {
            let io = TokioIo::new(self.tap(unread));
            let mut conn =
                self.http1_builder().serve_connection(io, self.handler.clone()).with_upgrades();
            let result = loop {
                match self.step(|cx| Pin::new(&mut conn).poll(cx)).await {
                    Step::Done(result) => break result,
                    Step::Look if self.is_abandoned() => return Ending::Cut,
                    Step::Look => {}
                    Step::Cut => return Ending::Cut,
                }
            };
            let Some(parts) = conn.into_parts() else {
                return self.upgraded().await;
            };
            unread = parts.read_buf;
            match self.progress.gave_up() {
                Some(Stage::Head { .. } | Stage::Preface { .. }) => {
                    return Ending::Closed(TIMED_OUT);
                }
                Some(_) if !unread.is_empty() => self.progress.found_half_a_head(),
                _ => {
                    note(result);
                    return Ending::Closed(b"");
                }
            }
        }
    }

    async fn http2(&mut self, unread: Bytes) -> Ending {
        self.progress.multiplexed();
        let io = TokioIo::new(self.tap(unread));
        let conn = self.http2_builder().serve_connection(io, self.handler.clone());
        let mut conn = pin!(conn);
        loop {
            if self.progress.says_goodbye() {
                conn.as_mut().graceful_shutdown();
            }
            let (progress, wire) = (Arc::clone(&self.progress), Arc::clone(&self.wire));
            // After a poll, `progress` knows about every request in the bytes that hyper has read.
            let step = self.step(|cx| match conn.as_mut().poll(cx) {
                Poll::Pending if progress.outstays() && !wire.has_bytes() => Poll::Ready(Ok(())),
                polled => polled,
            });
            let step = tokio::select! {
                biased;
                step = step => step,
                () = progress.idle() => Step::Look,
            };
            match step {
                Step::Done(result) => {
                    note(result);
                    return Ending::Closed(b"");
                }
                Step::Look => {}
                Step::Cut => return Ending::Cut,
            }
        }
    }

    /// Returns whether the client of the current request is gone. Then hyper's future is dropped, and
    /// the service's future with it.
    fn is_abandoned(&self) -> bool {
        let abandoned = self.progress.wants_a_look() && self.wire.has_hung_up();
        if abandoned {
            tracing::debug!("a client disconnected before its answer");
        }
        abandoned
    }

    /// Waits for the service, which now owns the connection and may close it at any time, up to the
    /// deadline.
    async fn upgraded(&mut self) -> Ending {
        tokio::select! {
            () = self.released.cancelled() => Ending::Closed(b""),
            () = cut(&mut self.phase) => Ending::Cut,
        }
    }

    /// Polls until the caller has something to do.
    async fn step<T>(&mut self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Step<T> {
        let phase = *self.phase.borrow_and_update();
        if phase.is_over() {
            return Step::Cut;
        }
        let (progress, alarm) = (&self.progress, &mut self.alarm);
        let done_or_due = poll_fn(|cx| {
            if let Poll::Ready(done) = poll(cx) {
                return Poll::Ready(Step::Done(done));
            }
            ready!(alarm.poll(cx, progress.due(), phase.deadline()));
            Poll::Ready(Step::Look)
        });
        tokio::select! {
            biased;
            step = done_or_due => step,
            () = changed(&mut self.phase) => Step::Look,
        }
    }

    fn tap(&mut self, unread: Bytes) -> Tap<IO> {
        self.released = CancellationToken::new();
        let dropped = self.released.clone().drop_guard();
        Tap::new(Arc::clone(&self.wire), Arc::clone(&self.progress), unread, dropped)
    }

    /// Makes the builder for HTTP/1. `progress` handles the timeouts: hyper's header timeout counts
    /// idle time, too. A client that closes its half after its request still waits for the answer,
    /// so hyper continues after an end of file.
    fn http1_builder(&self) -> http1::Builder {
        let size = self.handler.shared.limits.header_size;
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(None).half_close(true);
        builder.max_header_size(size).max_buf_size(size.max(SMALLEST_BUFFER));
        builder
    }

    /// Makes the builder for HTTP/2. hyper pings a client that has been silent for a long time, and
    /// gives up if the client does not answer.
    fn http2_builder(&self) -> http2::Builder<TokioExecutor> {
        let limits = &self.handler.shared.limits;
        let size = u32::try_from(limits.header_size).unwrap_or(u32::MAX);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        builder.max_concurrent_streams(HTTP2_STREAMS).max_header_list_size(size);
        builder.keep_alive_interval(limits.idle_time).keep_alive_timeout(limits.header_time);
        builder
    }
}

/// Appends the next bytes to `seen`, up to the length of the preface; false at the end.
fn poll_some(
    tap: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    seen: &mut Vec<u8>,
) -> Poll<bool> {
    let mut space = [0; HTTP2_PREFACE.len()];
    let mut buf = ReadBuf::new(&mut space[seen.len()..]);
    let read = ready!(Pin::new(tap).poll_read(cx, &mut buf));
    seen.extend_from_slice(buf.filled());
    Poll::Ready(read.is_ok() && !buf.filled().is_empty())
}

/// Logs an error for debugging only: clients make mistakes and disconnect all the time.
fn note(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}
