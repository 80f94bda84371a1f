//! HTTP/2 with prior knowledge, asked by hyper's client.

use cluster::config::HttpLimits;
use cluster::http::{Bytes, Full, Request};
use http_body_util::BodyExt;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::lab::Lab;

pub type Asked = SendRequest<Full<Bytes>>;

pub const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

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

pub async fn ask(client: &mut Asked, path: &str) -> (u16, Bytes) {
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
async fn half_a_preface_counts_as_http1_that_takes_too_long() {
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
    for byte in PREFACE.as_bytes() {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    // An empty SETTINGS frame begins with its length and its type; so does the server's.
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    let mut header = [0; 9];
    client.io.read_exact(&mut header).await.unwrap();
    assert_eq!(header[3], 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_only_its_stream() {
    let lab = Lab::new();
    let (mut client, _) = connect_http2(&lab).await;
    assert_eq!(ask(&mut client, "/panic").await.0, 500);
    assert_eq!(ask(&mut client, "/").await.0, 200);
}
