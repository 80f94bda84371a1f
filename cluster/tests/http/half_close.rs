//! Clients that close their half after the request, and clients that are gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cluster::http::{Bytes, Incoming, Peer, Request, Response, service_fn};
use hyper::body::{Body, Frame};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::lab::{Client, GET, Lab, SLOW, tcp_pair};

/// Once would prove little: the FIN must arrive before the answer, after it, and in between.
const TIMES: usize = 200;
const POST: &str = "POST /echo HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello";

/// Waits for a fact. Only a defect makes it time out.
async fn seen<T>(fact: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), fact).await.expect("waited a minute in vain")
}

fn connect_unix(lab: &Lab) -> Client<UnixStream> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    lab.serve(theirs);
    Client::new(ours)
}

/// Like `printf … | nc -N`.
async fn asks_and_ends<IO: AsyncRead + AsyncWrite + Unpin>(lab: &Lab, mut client: Client<IO>) {
    client.send(GET).await;
    client.send(POST).await;
    client.send(SLOW).await;
    client.io.shutdown().await.unwrap();
    assert_eq!(client.answer().await.body, b"/");
    assert_eq!(client.answer().await.body, b"hello");
    seen(lab.entered()).await;
    lab.gate.add_permits(1);
    assert_eq!(client.answer().await.body, b"slow");
    client.closed().await;
}

#[tokio::test]
async fn a_client_that_half_closes_is_answered() {
    let lab = Lab::new();
    for _ in 0..TIMES {
        asks_and_ends(&lab, lab.connect()).await;
        asks_and_ends(&lab, lab.connect_tcp().await).await;
        asks_and_ends(&lab, connect_unix(&lab)).await;
    }
    lab.drain();
    lab.ends().await;
}

/// The answer comes after several checks of the socket.
#[tokio::test]
async fn a_client_that_waits_after_its_fin_is_not_gone() {
    let lab = Lab::new();
    let mut tcp = lab.connect_tcp().await;
    let mut unix = connect_unix(&lab);
    tcp.send(SLOW).await;
    unix.send(SLOW).await;
    tcp.io.shutdown().await.unwrap();
    unix.io.shutdown().await.unwrap();
    seen(lab.entered()).await;
    seen(lab.entered()).await;
    // A third client is found to be gone twice, so the others were checked.
    for _ in 0..2 {
        let mut gone = lab.connect_tcp().await;
        gone.send(SLOW).await;
        seen(lab.entered()).await;
        reset(gone);
        seen(lab.left()).await;
    }
    lab.gate.add_permits(2);
    assert_eq!(tcp.answer().await.body, b"slow");
    assert_eq!(unix.answer().await.body, b"slow");
}

#[tokio::test]
async fn a_half_closed_client_is_answered_in_a_drain() {
    let lab = Lab::new();
    let mut client = lab.connect_tcp().await;
    client.send(SLOW).await;
    client.io.shutdown().await.unwrap();
    seen(lab.entered()).await;
    lab.drain();
    lab.gate.add_permits(1);
    assert!(client.answer().await.says_close());
    client.closed().await;
    drop(client);
    lab.ends().await;
}

/// The kernel sends a reset when a socket with a linger time of zero is closed.
fn reset(client: Client<TcpStream>) {
    SockRef::from(&client.io).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
}

/// The service was dropped, and the worker has nothing left of the connection. The check that
/// notices the end happens within half a second; the rest of the time is for a busy machine.
async fn is_given_up(lab: Lab, since: Instant) {
    seen(lab.left()).await;
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(lab.gate.available_permits(), 0);
    lab.drain();
    lab.ends().await;
}

#[tokio::test]
async fn a_reset_ends_the_service() {
    for ends_its_half in [false, true] {
        let lab = Lab::new();
        let mut client = lab.connect_tcp().await;
        client.send(SLOW).await;
        if ends_its_half {
            client.io.shutdown().await.unwrap();
        }
        seen(lab.entered()).await;
        reset(client);
        is_given_up(lab, Instant::now()).await;
    }
}

/// The service does not read the body, so no read notices its end.
#[tokio::test]
async fn a_reset_within_the_body_ends_the_service() {
    for bytes in [0, 3, 100_000] {
        let lab = Lab::new();
        let mut client = lab.connect_tcp().await;
        client.send("POST /slow HTTP/1.1\r\ncontent-length: 200000\r\n\r\n").await;
        client.send(vec![b'x'; bytes]).await;
        seen(lab.entered()).await;
        reset(client);
        is_given_up(lab, Instant::now()).await;
    }
}

#[tokio::test]
async fn a_unix_client_that_closes_ends_the_service() {
    for ends_its_half in [false, true] {
        let lab = Lab::new();
        let mut client = connect_unix(&lab);
        client.send(SLOW).await;
        if ends_its_half {
            client.io.shutdown().await.unwrap();
        }
        seen(lab.entered()).await;
        drop(client);
        is_given_up(lab, Instant::now()).await;
    }
}

#[tokio::test]
async fn a_reset_on_a_kept_connection_ends_the_service() {
    let lab = Lab::new();
    let mut client = lab.connect_tcp().await;
    for _ in 0..3 {
        client.ask(GET).await;
    }
    client.send(SLOW).await;
    seen(lab.entered()).await;
    reset(client);
    is_given_up(lab, Instant::now()).await;
}

/// An answer that has started and is waiting for news, like server-sent events.
struct Silent(Arc<Notify>);

impl Body for Silent {
    type Data = Bytes;
    type Error = cluster::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, cluster::Error>>> {
        Poll::Pending
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_reset_ends_an_answer_that_waits() {
    let lab = Lab::new();
    let dropped = Arc::new(Notify::new());
    let (ours, theirs) = tcp_pair().await;
    let body = Arc::clone(&dropped);
    let service = service_fn(move |_: Request<Incoming>| {
        let body = Silent(Arc::clone(&body));
        async { Ok::<_, cluster::Error>(Response::new(body)) }
    });
    lab.server.serve(theirs, Peer::Unix, service);
    let mut client = Client::new(ours);
    client.send(GET).await;
    client.io.read_exact(&mut [0; 12]).await.unwrap();
    reset(client);
    seen(dropped.notified()).await;
    lab.drain();
    lab.ends().await;
}
