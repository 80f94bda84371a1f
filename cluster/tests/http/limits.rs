//! The limits on a client: bytes, time, connections.

use std::time::Duration;

use cluster::config::HttpLimits;
use tokio::io::AsyncWriteExt;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use crate::lab::{GET, Lab, SLOW};

pub const SHORT: HttpLimits = HttpLimits {
    header_size: 4000,
    header_time: Duration::from_secs(3),
    idle_time: Duration::from_secs(10),
    body_time: Duration::from_secs(5),
    request_time: Duration::from_secs(60),
    connections: 2,
};

#[tokio::test(start_paused = true)]
async fn an_overlong_head_is_answered_431() {
    for whole in [false, true] {
        let lab = Lab::with(SHORT);
        let mut client = lab.connect();
        let end = if whole { "\r\n\r\n" } else { "" };
        client.send(format!("GET / HTTP/1.1\r\nx: {}{end}", "x".repeat(4000))).await;
        assert_eq!(client.answer().await.status(), "431");
        client.closed().await;
    }
    let lab = Lab::with(SHORT);
    let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(3900));
    assert_eq!(lab.connect().ask(head).await.status(), "200");
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_answered_408() {
    for before in [0, 1] {
        let lab = Lab::with(SHORT);
        let mut client = lab.connect();
        for _ in 0..before {
            client.ask(GET).await;
        }
        sleep(SHORT.idle_time / 2).await;
        client.send(&GET[..1]).await;
        let began = Instant::now();
        sleep(SHORT.header_time / 2).await;
        client.send(&GET[1..2]).await;
        assert_eq!(client.answer().await.status(), "408");
        client.closed().await;
        assert_eq!(began.elapsed(), SHORT.header_time);
    }
}

/// The clock of the head starts with its first byte, not at the end of the previous answer.
#[tokio::test(start_paused = true)]
async fn idle_time_does_not_count_for_the_head() {
    let lab = Lab::with(SHORT);
    let mut client = lab.connect();
    for _ in 0..5 {
        client.ask(GET).await;
        sleep(SHORT.idle_time / 10 * 9).await;
        client.send(&GET[..1]).await;
        sleep(SHORT.header_time / 10 * 9).await;
        client.send(&GET[1..]).await;
        assert_eq!(client.answer().await.status(), "200");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_without_a_word() {
    for requests in [0, 1] {
        let lab = Lab::with(SHORT);
        let mut client = lab.connect();
        for _ in 0..requests {
            client.ask(GET).await;
        }
        let began = Instant::now();
        client.closed().await;
        assert_eq!(began.elapsed(), SHORT.idle_time);
    }
}

/// Some clients end a body with one line end too many, which is not the start of a head.
#[tokio::test(start_paused = true)]
async fn line_ends_between_requests_count_as_idle() {
    let lab = Lab::with(SHORT);
    let mut client = lab.connect();
    client.ask(GET).await;
    let began = Instant::now();
    client.send("\r\n").await;
    client.closed().await;
    assert_eq!(began.elapsed(), SHORT.idle_time);
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_answered_408() {
    let lab = Lab::with(SHORT);
    let mut client = lab.connect();
    client.send("POST /echo HTTP/1.1\r\ncontent-length: 100\r\n\r\n").await;
    let began = Instant::now();
    for _ in 0..4 {
        sleep(SHORT.body_time / 5).await;
        client.send("x").await;
    }
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.says_close()), ("408", true));
    client.closed().await;
    assert_eq!(began.elapsed(), SHORT.body_time);
}

#[tokio::test(start_paused = true)]
async fn a_body_in_time_is_received_whole() {
    let lab = Lab::with(SHORT);
    let mut client = lab.connect();
    for chunked in [false, true] {
        let kind = if chunked { "transfer-encoding: chunked" } else { "content-length: 4" };
        client.send(format!("POST /echo HTTP/1.1\r\n{kind}\r\n\r\n")).await;
        for letter in "abcd".chars() {
            sleep(SHORT.body_time / 5).await;
            client.send(if chunked { format!("1\r\n{letter}\r\n") } else { letter.into() }).await;
        }
        if chunked {
            client.send("0\r\n\r\n").await;
        }
        assert_eq!(client.answer().await.body, b"abcd");
    }
}

#[tokio::test(start_paused = true)]
async fn the_number_of_connections_is_limited() {
    let lab = Lab::with(SHORT);
    lab.server.has_room().await;
    let (one, _two) = (lab.connect(), lab.connect());
    assert_eq!(lab.server.open(), 2);
    assert!(timeout(SHORT.idle_time / 2, lab.server.has_room()).await.is_err());
    drop(one);
    lab.server.has_room().await;
    assert_eq!(lab.server.open(), 1);
}

/// While a request is being answered, the client's pipelined bytes stay in the kernel.
#[tokio::test(start_paused = true)]
async fn a_flood_behind_a_slow_request_meets_backpressure() {
    let lab = Lab::with(SHORT);
    let (mut ours, theirs) = tokio::io::duplex(1024);
    lab.serve(theirs);
    ours.write_all(SLOW).await.unwrap();
    lab.entered().await;
    let mut taken = 0;
    let flood = vec![b'x'; 1024];
    while let Ok(wrote) = timeout(Duration::from_secs(1), ours.write(&flood)).await {
        taken += wrote.unwrap();
        assert!(taken <= 8192 + 2 * 1024);
    }
}

/// hyper alone would close the connection after the answer, without announcing it.
#[tokio::test(start_paused = true)]
async fn a_short_unread_body_does_not_cost_the_connection() {
    let lab = Lab::new();
    let mut client = lab.connect();
    client.send("POST / HTTP/1.1\r\ncontent-length: 200000\r\n\r\n").await;
    for _ in 0..4 {
        client.send(vec![b'x'; 50_000]).await;
        yield_now().await;
    }
    assert!(!client.answer().await.says_close());
    assert!(!client.ask(GET).await.says_close());
}

#[tokio::test(start_paused = true)]
async fn an_answer_before_a_long_or_slow_body_says_close() {
    let long = "x".repeat(300_000);
    let long = format!("transfer-encoding: chunked\r\n\r\n493e0\r\n{long}\r\n0");
    for head in [
        &long,
        "content-length: 300000",
        "content-length: 5",
        "content-length: 5\r\nexpect: 100-continue",
    ] {
        let lab = Lab::new();
        let mut client = lab.connect();
        client.send(format!("POST / HTTP/1.1\r\n{head}\r\n\r\n")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.says_close()), ("200", true));
        client.closed().await;
    }
}

/// Only the client's time counts: a service may take as long as it likes between two reads.
#[tokio::test(start_paused = true)]
async fn a_service_that_reads_slowly_is_not_the_clients_fault() {
    let lab = Lab::with(SHORT);
    let mut client = lab.connect();
    client.send("POST /sip HTTP/1.1\r\ncontent-length: 3\r\n\r\n").await;
    sleep(SHORT.body_time / 2).await;
    client.send("a").await;
    lab.entered().await;
    sleep(SHORT.body_time * 2).await;
    lab.gate.add_permits(1);
    sleep(SHORT.body_time / 4).await;
    client.send("bc").await;
    assert_eq!(client.answer().await.body, b"bc");
}
