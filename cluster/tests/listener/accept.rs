//! Accepting: waiting connections are accepted, a shut-down socket ends it, and errors pass.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use cluster::listener::{Accepting, Listener, Peer, Stream};
use nix::sys::resource::{Resource, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{address, bind, bind_unix, tcp};

fn accepting(listener: &Listener) -> Accepting {
    Accepting::new(listener.as_fd().try_clone_to_owned().unwrap()).unwrap()
}

async fn echo(mut stream: Stream, mut client: impl Read + Write) {
    client.write_all(b"ping").unwrap();
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    client.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"ping");
}

#[tokio::test]
async fn tcp_and_unix_are_one_type() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let client = TcpStream::connect(address(listener.address())).unwrap();
    let (stream, peer) = accepting(&listener).accept().await.unwrap();
    assert_eq!(peer, Peer::Tcp(client.local_addr().unwrap()));
    echo(stream, client).await;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let listener = bind_unix(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (stream, peer) = accepting(&listener).accept().await.unwrap();
    assert_eq!(peer, Peer::Unix);
    echo(stream, client).await;
}

#[tokio::test]
async fn an_accepted_connection_inherits_nodelay() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let _client = TcpStream::connect(address(listener.address())).unwrap();
    match accepting(&listener).accept().await.unwrap().0 {
        Stream::Tcp(stream) => assert!(stream.nodelay().unwrap()),
        Stream::Unix(_) => panic!("it is a TCP listener"),
    }
}

#[tokio::test]
async fn the_queue_is_emptied_without_waiting() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let accepting = accepting(&listener);
    assert!(accepting.accept_ready().is_none());
    let connect = || TcpStream::connect(address(listener.address())).unwrap();
    let _clients = [connect(), connect(), connect()];
    // There is no await in between: the kernel knows about them, but the runtime does not yet.
    let accepted = std::iter::from_fn(|| accepting.accept_ready()).count();
    assert_eq!(accepted, 3);
}

#[tokio::test]
async fn a_batch_takes_waiting_connections_up_to_a_limit() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let accepting = accepting(&listener);
    let connect = || TcpStream::connect(address(listener.address())).unwrap();
    let _clients = [connect(), connect(), connect()];
    assert_eq!(accepting.accept_batch(2).await.unwrap().len(), 2);
    assert_eq!(accepting.accept_batch(2).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_socket_that_was_shut_down_ends_accepting() {
    let dir = tempfile::tempdir().unwrap();
    for listener in [bind(&tcp("127.0.0.1:0")), bind_unix(&dir.path().join("app.sock"))] {
        let listener = listener.unwrap();
        let accepting = accepting(&listener);
        // The worker is already waiting when the primary shuts down the socket.
        let (none, ()) =
            tokio::join!(biased; accepting.accept(), async { listener.refuse().unwrap() });
        assert!(none.is_none());
        assert!(accepting.accept_ready().is_none());
    }
}

#[tokio::test]
async fn a_connection_from_another_process_is_adopted() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let client = TcpStream::connect(address(listener.address())).unwrap();
    let mut batch = accepting(&listener).accept_batch(1).await.unwrap();
    let (fd, from_accept) = batch.remove(0);
    let (stream, peer) = Stream::adopt(fd).unwrap();
    assert_eq!(peer, from_accept);
    echo(stream, client).await;
}

/// The limit is for the whole process, so this runs in its own process: this program again.
#[test]
fn accepting_without_descriptors_waits_and_loses_no_client() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "accept::as_a_process_without_descriptors", "--ignored"]);
    let output = child.env("WITHOUT_DESCRIPTORS", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "it is the child of another test"]
async fn as_a_process_without_descriptors() {
    if std::env::var_os("WITHOUT_DESCRIPTORS").is_none() {
        return; // a run of all ignored tests
    }
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let accepting = accepting(&listener);
    let _client = TcpStream::connect(address(listener.address())).unwrap();
    let spare = listener.as_fd().try_clone_to_owned().unwrap();
    let first_free = u64::try_from(spare.as_raw_fd()).unwrap() + 1;
    setrlimit(Resource::RLIMIT_NOFILE, first_free, 1024).unwrap();
    assert!(accepting.accept_ready().is_none(), "there is no room, but it has not ended");
    let mut waiting = std::pin::pin!(accepting.accept());
    let first_try = tokio::time::timeout(Duration::ZERO, &mut waiting).await;
    assert!(first_try.is_err(), "it waits");
    drop(spare);
    assert!(waiting.await.is_some(), "the client was in the kernel's queue");
}
