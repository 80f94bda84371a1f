//! The end of HTTP/2 connections: GOAWAY, and the wait after it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cluster::config::HttpLimits;
use cluster::http::Transport;
use http_body_util::BodyExt;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::http2::{PREFACE, ask, connect_http2, get};
use crate::lab::{Client, Lab, PATIENCE, WINDOW, big};

/// The minimum time that a draining worker waits for the answer to its GOAWAY.
pub const ROUND_TRIP: Duration = Duration::from_secs(1);

/// The HEADERS of stream 1, which also end it: GET, http, `/`.
pub const HEADERS: &[u8] = b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84";

/// The same for `/big`.
const BIG: &[u8] = b"\0\0\x08\x01\x05\0\0\0\x01\x82\x86\x04\x04/big";

pub const EMPTY_SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// A client that sends the preface of HTTP/2 and then nothing.
async fn silent(lab: &Lab) -> Client<DuplexStream> {
    let mut client = lab.connect();
    client.send(PREFACE).await;
    client.io.read_exact(&mut [0; 9]).await.unwrap();
    client
}

async fn read_all(client: &mut Client<DuplexStream>) {
    client.io.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn streams_in_flight_finish_before_the_connection_is_drained() {
    let lab = Lab::new();
    let (mut client, connection) = connect_http2(&lab).await;
    let slow = client.send_request(get("/slow"));
    let slow = tokio::spawn(slow);
    lab.entered().await;
    let began = lab.drain();
    sleep_until(began + WINDOW * 3).await;
    assert!(!connection.is_finished());
    lab.gate.add_permits(1);
    let response = slow.await.unwrap().unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "slow");
    connection.await.unwrap().expect("GOAWAY, and then the end");
    assert!(client.ready().await.is_err());
    lab.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_streams_leaves_at_once() {
    let lab = Lab::new();
    let (mut client, connection) = connect_http2(&lab).await;
    ask(&mut client, "/").await;
    let began = lab.drain();
    connection.await.unwrap().unwrap();
    lab.ends().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_gets_goaway() {
    let limits = HttpLimits { idle_time: Duration::from_secs(5), ..HttpLimits::default() };
    let lab = Lab::with(limits);
    let (mut client, connection) = connect_http2(&lab).await;
    sleep(limits.idle_time / 2).await;
    ask(&mut client, "/").await;
    let began = Instant::now();
    connection.await.unwrap().unwrap();
    assert_eq!(began.elapsed(), limits.idle_time);
}

/// A client that sends the preface of HTTP/2 and then nothing does not read a GOAWAY either.
#[tokio::test(start_paused = true)]
async fn a_client_that_only_sends_the_preface_is_closed() {
    let limits = HttpLimits {
        idle_time: Duration::from_secs(5),
        header_time: Duration::from_secs(3),
        ..HttpLimits::default()
    };
    let lab = Lab::with(limits);
    let mut client = lab.connect();
    let began = Instant::now();
    client.send(PREFACE).await;
    read_all(&mut client).await;
    assert_eq!(began.elapsed(), limits.idle_time + limits.header_time);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_goaway_does_not_delay_a_drain() {
    for window in [WINDOW, Duration::ZERO] {
        let lab = Lab::new();
        let mut client = silent(&lab).await;
        let began = lab.drain_within(window, PATIENCE);
        read_all(&mut client).await;
        assert_eq!(began.elapsed(), window.max(ROUND_TRIP));
        drop(client);
        lab.ends().await;
    }
}

/// The worker sent GOAWAY long ago, because the connection was idle, and now it is stopping.
#[tokio::test(start_paused = true)]
async fn a_stop_shortens_a_goodbye_that_has_begun() {
    let limits = HttpLimits { header_time: PATIENCE, ..HttpLimits::default() };
    let lab = Lab::with(limits);
    let mut client = silent(&lab).await;
    sleep(limits.idle_time + ROUND_TRIP * 2).await;
    let began = lab.drain_within(Duration::ZERO, PATIENCE);
    read_all(&mut client).await;
    assert_eq!(began.elapsed(), ROUND_TRIP);
}

/// The bytes do not begin a request: the beginning of a frame, a frame without a request, a letter.
#[tokio::test(start_paused = true)]
async fn a_client_that_requests_nothing_does_not_delay_a_stop() {
    let half_a_head: &[u8] = &[0, 0, 9, 1, 5, 0];
    let window_update: &[u8] = &[0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let letters: &[u8] = &[0];
    for (bytes, times) in [(half_a_head, 1), (window_update, 50), (letters, 5)] {
        let lab = Lab::new();
        let client = silent(&lab).await;
        let (mut reader, mut writer) = tokio::io::split(client.io);
        let began = lab.drain_within(Duration::ZERO, PATIENCE);
        let sending = tokio::spawn(async move {
            for _ in 0..times {
                let _ = writer.write_all(bytes).await; // it may already be closed
                sleep(ROUND_TRIP / 3).await;
            }
            writer
        });
        reader.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(began.elapsed(), ROUND_TRIP);
        sending.abort();
        lab.ends().await;
    }
}

/// Half a preface does not begin a request, so a worker that is leaving owes the client nothing.
#[tokio::test(start_paused = true)]
async fn half_a_preface_does_not_delay_a_drain() {
    for window in [WINDOW, Duration::ZERO] {
        let lab = Lab::new();
        let mut client = lab.connect();
        client.send("PRI * HT").await;
        tokio::task::yield_now().await;
        let began = lab.drain_within(window, PATIENCE);
        assert_eq!(client.answer().await.status(), "408");
        client.closed().await;
        assert_eq!(began.elapsed(), window.max(ROUND_TRIP));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_on_its_way_when_a_stop_begins_is_answered() {
    let lab = Lab::new();
    let mut client = silent(&lab).await;
    let began = lab.drain_within(Duration::ZERO, PATIENCE);
    sleep(ROUND_TRIP / 2).await;
    client.send(EMPTY_SETTINGS).await;
    client.send(HEADERS).await;
    let mut all = Vec::new();
    client.io.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(b"/"), "{}", all.escape_ascii());
    assert_eq!(began.elapsed(), ROUND_TRIP / 2 + ROUND_TRIP);
}

/// The kernel has the request in time, but Tokio notices it only after the grace period.
#[tokio::test(start_paused = true)]
async fn a_request_that_the_kernel_has_is_answered_after_goaway() {
    let lab = Lab::new();
    let (ours, theirs) = duplex(1 << 20);
    let learns = Instant::now() + ROUND_TRIP * 2;
    lab.serve(Slow { io: theirs, before: PREFACE.len(), learns: Box::pin(sleep_until(learns)) });
    let mut client = Client::new(ours);
    client.send(PREFACE).await;
    client.io.read_exact(&mut [0; 9]).await.unwrap();
    lab.drain_within(Duration::ZERO, PATIENCE);
    client.send(EMPTY_SETTINGS).await;
    client.send(HEADERS).await;
    let mut all = Vec::new();
    client.io.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(b"/"), "{}", all.escape_ascii());
}

/// A socket whose bytes after the first ones are noticed late.
struct Slow {
    io: DuplexStream,
    before: usize,
    learns: Pin<Box<tokio::time::Sleep>>,
}

impl Transport for Slow {
    fn has_bytes(&self) -> bool {
        self.before == 0 && !self.learns.is_elapsed()
    }

    fn has_hung_up(&self) -> bool {
        false
    }
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before == 0 {
            std::task::ready!(self.learns.as_mut().poll(cx));
        }
        let filled = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.before = self.before.saturating_sub(buf.filled().len() - filled);
        polled
    }
}

impl AsyncWrite for Slow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The rest of the answer waits in the server until the client has room.
#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_for_its_client_is_not_cut_by_a_stop() {
    let lab = Lab::new();
    let (mut client, connection) = connect_http2(&lab).await;
    let response = client.send_request(get("/big")).await.unwrap();
    lab.drain_within(Duration::ZERO, PATIENCE);
    sleep(PATIENCE / 2).await;
    assert!(response.into_body().collect().await.unwrap().to_bytes() == big());
    connection.await.unwrap().unwrap();
    lab.ends().await;
}

/// The client has room by HTTP/2's rules but does not read: the end of the answer waits for the
/// kernel.
#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_for_the_kernel_is_not_cut_by_a_stop() {
    let lab = Lab::new();
    let (ours, theirs) = duplex(1 << 10);
    lab.serve(theirs);
    let mut client = Client::new(ours);
    client.send(PREFACE).await;
    // SETTINGS_INITIAL_WINDOW_SIZE, and the same amount for the connection.
    client.send(b"\0\0\x06\x04\0\0\0\0\0\0\x04\x7f\0\0\0").await;
    client.send(b"\0\0\x04\x08\0\0\0\0\0\x70\0\0\0").await;
    client.send(BIG).await;
    client.io.read_exact(&mut [0; 9]).await.unwrap();
    lab.drain_within(Duration::ZERO, PATIENCE);
    sleep(PATIENCE / 2).await;
    let mut all = Vec::new();
    client.io.read_to_end(&mut all).await.unwrap();
    assert!(all.len() > big().len());
    assert_eq!(all.last(), big().last());
}

/// The whole answer is small, and waits behind frames that the client has not read either.
#[tokio::test(start_paused = true)]
async fn a_small_answer_that_the_kernel_does_not_take_is_not_cut() {
    let lab = Lab::new();
    let (ours, theirs) = duplex(64);
    lab.serve(theirs);
    let mut client = Client::new(ours);
    for bytes in [PREFACE.as_bytes(), EMPTY_SETTINGS, HEADERS] {
        client.send(bytes).await;
    }
    while lab.server.requests() == 0 {
        tokio::task::yield_now().await;
    }
    lab.drain_within(Duration::ZERO, PATIENCE);
    sleep(PATIENCE / 2).await;
    let mut all = Vec::new();
    client.io.read_to_end(&mut all).await.unwrap();
    let data = b"\0\0\x01\0\x01\0\0\0\x01/";
    assert!(all.windows(data.len()).any(|bytes| bytes == data), "{}", all.escape_ascii());
}
