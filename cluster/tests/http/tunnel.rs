//! HTTP/2 connections that carry something else, after a CONNECT, and other uses of their tokens.

use std::time::Duration;

use cluster::http::{Bytes, Full, Incoming, Peer, Request, StatusCode, Token, service_fn, text};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, sleep_until};

use crate::goodbye::{EMPTY_SETTINGS, HEADERS, ROUND_TRIP};
use crate::http2::PREFACE;
use crate::lab::{Client, Lab, PATIENCE};

/// The service keeps the request's token, and with it the stream's connection.
#[tokio::test(start_paused = true)]
async fn a_tunnel_with_a_token_outlasts_the_window() {
    let lab = Lab::new();
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let service = service_fn(|mut request: Request<Incoming>| async move {
        let token = request.extensions().get::<Token>().cloned();
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgraded.await.unwrap());
            let (mut reader, mut writer) = tokio::io::split(&mut io);
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
            drop(token);
        });
        Ok::<_, cluster::Error>(text(StatusCode::OK, ""))
    });
    lab.server.serve(theirs, Peer::Unix, service);
    let (mut client, connection) =
        handshake(TokioExecutor::new(), TokioIo::new(ours)).await.unwrap();
    let connection = tokio::spawn(connection);
    let connect = Request::connect("a:1").body(Full::<Bytes>::default()).unwrap();
    let response = client.send_request(connect).await.unwrap();
    let mut tunnel = TokioIo::new(hyper::upgrade::on(response).await.unwrap());

    lab.drain_within(Duration::ZERO, PATIENCE);
    sleep(PATIENCE / 2).await;
    tunnel.write_all(b"still there?").await.unwrap();
    tunnel.read_exact(&mut [0; 12]).await.unwrap();
    tunnel.shutdown().await.unwrap();
    drop(tunnel);
    connection.await.unwrap().unwrap();
    lab.ends().await;
}

/// The client is silent, so only dropping the token shows that nothing is left.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_token_ends_a_connection_that_drains() {
    let lab = Lab::new();
    let (keep, mut kept) = tokio::sync::mpsc::unbounded_channel();
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let service = service_fn(move |request: Request<Incoming>| {
        keep.send(request.extensions().get::<Token>().cloned()).unwrap();
        async { Ok::<_, cluster::Error>(text(StatusCode::OK, "")) }
    });
    lab.server.serve(theirs, Peer::Unix, service);
    let mut client = Client::new(ours);
    for bytes in [PREFACE.as_bytes(), EMPTY_SETTINGS, HEADERS] {
        client.send(bytes).await;
    }
    let token = kept.recv().await.unwrap();
    let began = lab.drain_within(Duration::ZERO, PATIENCE);
    sleep_until(began + PATIENCE / 2).await;
    drop(token);
    client.io.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(began.elapsed(), PATIENCE / 2 + ROUND_TRIP);
    drop(client);
    lab.ends().await;
}
