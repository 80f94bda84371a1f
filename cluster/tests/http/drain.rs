//! The lame duck: the requests that a connection may still send during a drain, and its close.

use std::time::Duration;

use cluster::http::{Incoming, Peer, Request, StatusCode, service_fn, text};
use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, advance, sleep_until, timeout};

use crate::lab::{Client, GET, LINGER, Lab, PATIENCE, SLOW, WINDOW, big};

#[tokio::test(start_paused = true)]
async fn before_the_drain_a_connection_is_kept() {
    let lab = Lab::new();
    let mut client = lab.connect();
    for _ in 0..3 {
        let answer = client.ask(GET).await;
        assert_eq!((answer.status(), answer.says_close()), ("200", false));
    }
    assert_eq!((lab.server.open(), lab.server.requests()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_gets_one_more_answer_that_says_close() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.ask(GET).await;
    lab.drain();
    advance(WINDOW / 100 * 99).await;
    let answer = client.ask(GET).await;
    assert_eq!((answer.status(), answer.says_close()), ("200", true));
    client.closed().await;
    drop(client);
    lab.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_byte_is_answered_within_the_window() {
    let lab = Lab::new();
    let mut client = lab.connect();
    lab.drain();
    advance(Duration::from_millis(50)).await;
    assert!(client.ask(GET).await.says_close());
    client.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_when_its_window_is_over() {
    for bytes in [0, GET.len()] {
        let lab = Lab::new();
        let mut client = lab.connect();
        if bytes > 0 {
            client.ask(&GET[..bytes]).await;
        }
        let began = lab.drain();
        client.closed().await;
        assert_eq!(began.elapsed(), WINDOW);
        drop(client);
        lab.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_silent_connections_at_once() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.ask(GET).await;
    let began = lab.drain_within(Duration::ZERO, Duration::from_secs(10));
    client.closed().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// Line ends do not begin a request.
#[tokio::test(start_paused = true)]
async fn a_stop_closes_a_connection_with_only_line_ends_at_once() {
    for bytes in ["\r\n", "\r\n\r\n", "\n", "\r"] {
        let lab = Lab::new();
        let mut client = lab.connect();
        client.send(bytes).await;
        let began = lab.drain_within(Duration::ZERO, PATIENCE);
        client.closed().await;
        assert_eq!(began.elapsed(), Duration::ZERO, "{bytes:?}");
    }
}

/// hyper's graceful shutdown drops such a head if it is the second request of its connection.
#[tokio::test(start_paused = true)]
async fn a_head_that_has_begun_is_read_to_its_end_after_the_window() {
    for before in [0, 1] {
        let lab = Lab::new();
        let mut client = lab.connect();
        for _ in 0..before {
            client.ask(GET).await;
        }
        client.send(&GET[..9]).await;
        let began = lab.drain();
        sleep_until(began + WINDOW * 2).await;
        client.send(&GET[9..]).await;
        assert!(client.answer().await.says_close());
        client.closed().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_in_single_bytes_across_the_windows_end_is_answered() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.ask(GET).await;
    lab.drain();
    for byte in GET {
        advance(WINDOW / 10).await;
        client.send([*byte]).await;
    }
    assert!(client.answer().await.says_close());
    client.closed().await;
}

/// The half head arrives in one read with the request before it, so that only hyper has seen it.
#[tokio::test(start_paused = true)]
async fn half_a_head_behind_a_whole_request_is_answered_too() {
    for body in ["", "x"] {
        let lab = Lab::new();
        let mut client = lab.connect();
        let first = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        client.send([first.as_bytes(), &GET[..9]].concat()).await;
        assert!(!client.answer().await.says_close());
        let began = lab.drain();
        sleep_until(began + WINDOW * 2).await;
        client.send(&GET[9..]).await;
        assert!(client.answer().await.says_close());
        client.closed().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_slower_than_the_window_is_answered() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send(SLOW).await;
    lab.entered().await;
    let began = lab.drain();
    sleep_until(began + WINDOW * 3).await;
    lab.gate.add_permits(1);
    let answer = client.answer().await;
    assert_eq!((answer.body.as_slice(), answer.says_close()), (b"slow".as_slice(), true));
    client.closed().await;
    drop(client);
    lab.ends().await;
}

/// The first answer of the drain is the last of its connection; the client knows that the others
/// were not handled.
#[tokio::test(start_paused = true)]
async fn the_first_of_pipelined_requests_is_answered() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send([SLOW, GET, GET].concat()).await;
    lab.entered().await;
    lab.drain();
    lab.gate.add_permits(1);
    assert!(client.answer().await.says_close());
    client.closed().await;
    assert_eq!(lab.server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_are_all_answered_before_the_drain() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send([GET, SLOW, GET].concat()).await;
    lab.entered().await;
    lab.gate.add_permits(1);
    for _ in 0..3 {
        assert!(!client.answer().await.says_close());
    }
    lab.drain();
    client.closed().await;
}

/// A client that keeps its end open does not keep the worker alive.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_close_delays_the_drain_only_briefly() {
    let lab = Lab::new();
    let mut client = lab.connect();
    let began = lab.drain();
    assert!(client.ask(GET).await.says_close());
    lab.ends().await;
    assert_eq!(began.elapsed(), LINGER);
}

#[tokio::test(start_paused = true)]
async fn http_1_0_keep_alive_is_asked_to_close_too() {
    let lab = Lab::new();
    let mut client = lab.connect();
    let keep = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    assert!(!client.ask(keep).await.says_close());
    lab.drain();
    assert!(client.ask(keep).await.says_close());
    client.closed().await;
}

#[tokio::test(start_paused = true)]
async fn drained_waits_for_a_drain() {
    let lab = Lab::new();
    let waiting = timeout(Duration::from_secs(1000), lab.server.drained());
    assert!(waiting.await.is_err());
    lab.drain();
    let began = Instant::now();
    lab.server.drained().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// Half of the answer is in the pipe when the drain begins, and its head does not say close.
#[tokio::test(start_paused = true)]
async fn an_answer_that_outlasts_the_window_is_followed_by_another() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send("GET /big HTTP/1.1\r\n\r\n").await;
    client.io.read_exact(&mut [0; 9]).await.unwrap();
    let began = lab.drain();
    sleep_until(began + WINDOW * 3).await;
    client.read_on(b"HTTP/1.1 ");
    let answer = client.answer().await;
    assert!(answer.body == big() && !answer.says_close());
    sleep_until(began + WINDOW * 3 + WINDOW / 2).await;
    assert!(client.ask(GET).await.says_close());
    client.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_cut_an_answer_that_the_client_reads_slowly() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send("GET /big HTTP/1.1\r\n\r\n").await;
    client.io.read_exact(&mut [0; 9]).await.unwrap();
    lab.drain_within(Duration::ZERO, PATIENCE);
    sleep_until(Instant::now() + PATIENCE / 2).await;
    client.read_on(b"HTTP/1.1 ");
    assert!(client.answer().await.body == big());
    client.closed().await;
}

/// The connection is not idle while the service reads the body, though the answer has been sent.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_read_after_the_answer_arrives_whole() {
    let lab = Lab::new();
    let (bodies, mut read) = tokio::sync::mpsc::unbounded_channel();
    let (ours, theirs) = tokio::io::duplex(1024);
    let service = service_fn(move |request: Request<Incoming>| {
        let bodies = bodies.clone();
        tokio::spawn(async move { bodies.send(request.into_body().collect().await) });
        async { Ok::<_, cluster::Error>(text(StatusCode::OK, "thanks")) }
    });
    lab.server.serve(theirs, Peer::Unix, service);
    let mut client = Client::new(ours);
    client.ask("POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nab").await;
    let began = lab.drain();
    sleep_until(began + WINDOW * 2).await;
    client.send("cd").await;
    assert_eq!(read.recv().await.unwrap().unwrap().to_bytes(), "abcd");
    assert!(client.ask(GET).await.says_close());
}
