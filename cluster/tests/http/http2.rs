//! HTTP/2 with prior knowledge, asked by hyper's client.

use std::time::Duration;

use cluster::config::HttpLimits;
use cluster::http::{Bytes, Full, Request};
use http_body_util::BodyExt;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::lab::{Client, Lab, WINDOW};

type Asked = SendRequest<Full<Bytes>>;

/// A client, and the task that ends with its connection.
pub async fn connect_http2(lab: &Lab) -> (Asked, JoinHandle<hyper::Result<()>>) {
    let (ours, theirs) = duplex(1 << 20);
    lab.serve(theirs);
    let (asked, connection) = handshake(TokioExecutor::new(), TokioIo::new(ours)).await.unwrap();
    (asked, tokio::spawn(connection))
}

pub fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://a{path}")).body(Full::default()).unwrap()
}

async fn ask(client: &mut Asked, path: &str) -> (u16, Bytes) {
    let response = client.send_request(get(path)).await.unwrap();
    assert!(!response.headers().contains_key("connection"));
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test(start_paused = true)]
async fn requests_are_answered_on_one_connection() {
    let lab = Lab::new();
    let (mut client, _) = connect_http2(&lab).await;
    for _ in 0..3 {
        assert_eq!(ask(&mut client, "/a").await, (200, "/a".into()));
    }
    assert_eq!((lab.server.open(), lab.server.requests()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn in_a_drain_streams_in_flight_end_and_the_connection_after_them() {
    let lab = Lab::new();
    let (mut client, connection) = connect_http2(&lab).await;
    let slow = client.send_request(get("/slow"));
    let slow = tokio::spawn(slow);
    lab.entered().await;
    let began = lab.drain();
    tokio::time::sleep_until(began + WINDOW * 3).await;
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
async fn an_idle_connection_is_sent_away() {
    let limits = HttpLimits { idle_time: Duration::from_secs(5), ..HttpLimits::default() };
    let lab = Lab::with(limits);
    let (mut client, connection) = connect_http2(&lab).await;
    tokio::time::sleep(limits.idle_time / 2).await;
    ask(&mut client, "/").await;
    let began = Instant::now();
    connection.await.unwrap().unwrap();
    assert_eq!(began.elapsed(), limits.idle_time);
}

/// A client that says that it speaks HTTP/2, and then nothing, reads no GOAWAY either.
#[tokio::test(start_paused = true)]
async fn a_client_that_only_says_hello_is_closed() {
    let limits = HttpLimits {
        idle_time: Duration::from_secs(5),
        header_time: Duration::from_secs(3),
        ..HttpLimits::default()
    };
    let lab = Lab::with(limits);
    let mut client = lab.connect();
    let began = Instant::now();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    read_all(&mut client).await;
    assert_eq!(began.elapsed(), limits.idle_time + limits.header_time);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_hear_goaway_does_not_hold_the_drain_for_long() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.io.read_exact(&mut [0; 9]).await.unwrap();
    let began = lab.drain();
    read_all(&mut client).await;
    assert_eq!(began.elapsed(), HttpLimits::default().header_time);
}

#[tokio::test(start_paused = true)]
async fn half_a_preface_is_http1_that_takes_too_long() {
    let lab = Lab::new();
    let mut client = lab.connect();
    let began = Instant::now();
    client.send("PRI * HT").await;
    assert_eq!(client.answer().await.status(), "408");
    client.closed().await;
    assert_eq!(began.elapsed(), HttpLimits::default().header_time);
}

#[tokio::test(start_paused = true)]
async fn a_preface_in_pieces_is_one() {
    let lab = Lab::new();
    let mut client = lab.connect();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    // An empty SETTINGS frame begins with its length and its kind; so does the server's.
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    let mut header = [0; 9];
    client.io.read_exact(&mut header).await.unwrap();
    assert_eq!(header[3], 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_its_stream_alone() {
    let lab = Lab::new();
    let (mut client, _) = connect_http2(&lab).await;
    assert_eq!(ask(&mut client, "/panic").await.0, 500);
    assert_eq!(ask(&mut client, "/").await.0, 200);
}

async fn read_all(client: &mut Client<DuplexStream>) {
    client.io.read_to_end(&mut Vec::new()).await.unwrap();
}
