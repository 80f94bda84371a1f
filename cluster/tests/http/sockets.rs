//! Effects that only a kernel has: resets, full buffers, bytes that Tokio has not noticed yet.

use std::io::Write;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::lab::{Client, GET, Lab, PATIENCE, SLOW, WINDOW, big};

const MEGABYTES: usize = 8 << 20;

/// A reset would make the client's write fail, or discard the answer in its buffer.
#[tokio::test]
async fn an_answer_to_an_unread_body_is_not_reset() {
    for drains in [false, true] {
        let lab = Lab::new();
        let mut client = lab.connect_tcp().await;
        if drains {
            lab.drain();
        }
        let head = format!("POST /early HTTP/1.1\r\ncontent-length: {MEGABYTES}\r\n\r\n");
        client.send(head).await;
        client.send(vec![b'x'; MEGABYTES]).await;
        assert_eq!(client.answer().await.status(), "413");
        client.closed().await;
    }
}

#[tokio::test]
async fn an_answer_to_an_overlong_head_is_not_reset() {
    let lab = Lab::new();
    let mut client = lab.connect_tcp().await;
    client.send("GET / HTTP/1.1\r\nx: ").await;
    client.send(vec![b'x'; MEGABYTES]).await;
    assert_eq!(client.answer().await.status(), "431");
    client.closed().await;
}

#[tokio::test]
async fn an_answer_to_nonsense_is_not_reset() {
    let lab = Lab::new();
    let mut client = lab.connect_tcp().await;
    client.send(vec![0; MEGABYTES]).await;
    assert_eq!(client.answer().await.status(), "400");
    client.closed().await;
}

/// The answer had no chance to say close, so its connection gets the whole window after it.
#[tokio::test]
async fn a_large_answer_under_way_is_not_cut() {
    let lab = Lab::new();
    let mut client = lab.connect_tcp().await;
    client.send("GET /big HTTP/1.1\r\n\r\n").await;
    let mut first = [0; 1024];
    client.io.read_exact(&mut first).await.unwrap();
    lab.drain_within(Duration::from_secs(20), PATIENCE);

    let mut rest = vec![0; big().len()];
    let head = first.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let body = first.len() - head;
    client.io.read_exact(&mut rest[body..]).await.unwrap();
    rest[..body].copy_from_slice(&first[head..]);
    assert!(rest == big());
    assert!(client.ask(GET).await.says_close());
    client.closed().await;
    drop(client);
    lab.ends().await;
}

#[tokio::test]
async fn a_large_answer_of_the_drain_is_not_cut() {
    let lab = Lab::new();
    let mut client = lab.connect_tcp().await;
    lab.drain();
    let answer = client.ask("GET /big HTTP/1.1\r\n\r\n").await;
    assert!(answer.says_close() && answer.body == big());
    client.closed().await;
}

/// The worker learns of the stop before its event loop notices the request.
#[tokio::test]
async fn a_request_in_the_kernel_is_answered_even_without_a_window() {
    let lab = Lab::new();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    lab.serve(UnixStream::from_std(theirs).unwrap());
    ours.set_nonblocking(true).unwrap();
    let mut client = Client::new(UnixStream::from_std(ours.try_clone().unwrap()).unwrap());
    client.ask(GET).await;

    (&ours).write_all(GET).unwrap();
    lab.drain_within(Duration::ZERO, PATIENCE);
    assert!(client.answer().await.says_close());
    client.closed().await;
}

#[tokio::test]
async fn all_of_it_over_a_unix_socket() {
    let lab = Lab::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    lab.serve(theirs);
    let mut client = Client::new(ours);
    client.send(SLOW).await;
    lab.entered().await;
    lab.drain_within(WINDOW, PATIENCE);
    lab.gate.add_permits(1);
    assert!(client.answer().await.says_close());
    client.closed().await;
    client.io.shutdown().await.unwrap();
    lab.ends().await;
}
