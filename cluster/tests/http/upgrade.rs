//! Connections that speak a different protocol after their first request.

use std::time::Duration;

use cluster::http::{Incoming, Peer, Request, StatusCode, Token, service_fn, text};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};

use crate::lab::{Client, GET, Lab, PATIENCE};

type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// A client that speaks the lab's echo protocol.
pub async fn upgraded(lab: &Lab) -> Client<DuplexStream> {
    let mut client = lab.connect();
    client.send("GET /upgrade HTTP/1.1\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.status(), "101");
    assert!(!answer.says_close());
    client
}

async fn read(client: &mut Client<DuplexStream>, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    client.io.read_exact(&mut read).await.unwrap();
    assert_eq!(read, expected);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_an_upgrade_until_the_client_closes() {
    let lab = Lab::new();
    let mut client = upgraded(&lab).await;
    lab.drain();
    read(&mut client, b"bye").await;
    assert!(timeout(PATIENCE / 2, lab.server.drained()).await.is_err());
    client.io.write_all(b"still there?").await.unwrap();
    read(&mut client, b"still there?").await;
    client.io.shutdown().await.unwrap();
    client.closed().await;
    let began = Instant::now();
    lab.ends().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_during_the_drain_is_not_asked_to_close() {
    let lab = Lab::new();
    lab.drain();
    let mut client = upgraded(&lab).await;
    client.io.write_all(b"hello").await.unwrap();
    read(&mut client, b"hello").await;
}

/// Neither the idle time nor the window applies to an upgraded connection.
#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_may_be_silent_indefinitely() {
    let lab = Lab::new();
    let mut client = upgraded(&lab).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(100_000)).await;
        client.io.write_all(b"hello").await.unwrap();
        read(&mut client, b"hello").await;
    }
}

/// A connection whose owner is a task of the test.
async fn owned(lab: &Lab) -> (Client<DuplexStream>, Upgraded) {
    let (give, mut given) = tokio::sync::mpsc::unbounded_channel();
    let (ours, theirs) = tokio::io::duplex(1024);
    let service = service_fn(move |mut request: Request<Incoming>| {
        give.send(hyper::upgrade::on(&mut request)).unwrap();
        async { Ok::<_, cluster::Error>(text(StatusCode::SWITCHING_PROTOCOLS, "")) }
    });
    lab.server.serve(theirs, Peer::Unix, service);
    let mut client = Client::new(ours);
    let ask = "GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    assert_eq!(client.ask(ask).await.status(), "101");
    let upgraded = given.recv().await.unwrap().await.unwrap();
    (client, TokioIo::new(upgraded))
}

#[tokio::test(start_paused = true)]
async fn the_owner_can_close_one_half_and_keep_reading() {
    let lab = Lab::new();
    let (mut client, mut server) = owned(&lab).await;
    server.shutdown().await.unwrap();
    client.closed().await;
    client.io.write_all(b"one more").await.unwrap();
    server.read_exact(&mut [0; 8]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_owner_learns_of_the_cut() {
    let lab = Lab::new();
    let (_client, mut server) = owned(&lab).await;
    let reading = tokio::spawn(async move { server.read(&mut [0; 8]).await });
    lab.drain();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    lab.ends().await;
}

/// A token alone, taken out of an ordinary request, keeps the worker alive.
#[tokio::test(start_paused = true)]
async fn a_token_keeps_the_worker_until_it_is_dropped() {
    let lab = Lab::new();
    let (kept, mut tokens) = tokio::sync::mpsc::unbounded_channel();
    let (ours, theirs) = tokio::io::duplex(1024);
    lab.server.serve(
        theirs,
        Peer::Unix,
        service_fn(move |request: Request<Incoming>| {
            assert_eq!(request.extensions().get(), Some(&Peer::Unix));
            kept.send(request.extensions().get::<Token>().cloned().unwrap()).unwrap();
            async { Ok::<_, cluster::Error>(text(StatusCode::OK, "")) }
        }),
    );
    let mut client = Client::new(ours);
    client.ask(GET).await;
    drop(client);
    let token = tokens.recv().await.unwrap();
    assert_eq!(token.deadline(), None);
    let began = lab.drain();
    token.draining().await;
    assert_eq!(token.deadline(), Some(began + PATIENCE));
    assert!(timeout(PATIENCE / 2, lab.server.drained()).await.is_err());
    assert_eq!(lab.server.open(), 0);
    drop(token);
    lab.ends().await;
    assert_eq!(began.elapsed(), PATIENCE / 2);
}
