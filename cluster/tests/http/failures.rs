//! Services that fail, and clients that go away.

use std::pin::Pin;
use std::task::{Context, Poll};

use cluster::http::{Bytes, Incoming, Peer, Request, Response, service_fn};
use hyper::body::{Body, Frame};
use tokio::io::AsyncReadExt;
use tokio::time::sleep_until;

use crate::lab::{Client, GET, Lab, PATIENCE, SLOW};

#[tokio::test(start_paused = true)]
async fn a_panic_or_error_is_answered_500_and_the_worker_continues() {
    let lab = Lab::new();
    for path in ["/panic", "/error"] {
        let mut client = lab.connect();
        let answer = client.ask(format!("GET {path} HTTP/1.1\r\n\r\n")).await;
        assert_eq!((answer.status(), answer.says_close()), ("500", true));
        client.closed().await;
    }
    assert_eq!(lab.connect().ask(GET).await.status(), "200");
    assert_eq!(lab.server.requests(), 3);
    lab.drain();
    lab.ends().await;
}

/// A body that sends half of its bytes and then panics.
struct Torn {
    sent: bool,
}

impl Body for Torn {
    type Data = Bytes;
    type Error = cluster::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, cluster::Error>>> {
        assert!(!self.sent, "asked to");
        self.sent = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"half")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_is_seen_to_be_torn() {
    let lab = Lab::new();
    let (ours, theirs) = tokio::io::duplex(1024);
    lab.server.serve(
        theirs,
        Peer::Unix,
        service_fn(|_: Request<Incoming>| async {
            Ok::<_, cluster::Error>(Response::new(Torn { sent: false }))
        }),
    );
    let mut client = Client::new(ours);
    client.send(GET).await;
    let mut all = String::new();
    client.io.read_to_string(&mut all).await.unwrap();
    assert!(!all.ends_with("0\r\n\r\n"), "{all}");
    drop(client);
    lab.drain();
    lab.ends().await;
}

/// The end of its bytes does not show that the client is gone; the write of the answer does.
#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send(SLOW).await;
    lab.entered().await;
    drop(client);
    let began = lab.drain();
    sleep_until(began + PATIENCE / 2).await;
    assert_eq!(lab.left.available_permits(), 0);
    lab.gate.add_permits(1);
    lab.ends().await;
    assert_eq!(began.elapsed(), PATIENCE / 2);
}
