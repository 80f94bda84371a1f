//! Connections are suspended while there is no worker, and resumed.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use cluster::config::{Address, Sharing};
use cluster::listener::systemd::Passed;
use cluster::listener::{BoundAddress, Listener, Listeners};
use cluster::supervisor::SlotId;

use super::{address, at, bind, bind_unix, tcp};

#[test]
fn bound_socket_refuses_clients_until_it_listens() {
    let mut listener = Listener::bind(&tcp("127.0.0.1:0"), &mut Passed::default()).unwrap();
    let bound = address(listener.address());
    assert_eq!(TcpStream::connect(bound).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(!listener.listen().unwrap());
    TcpStream::connect(bound).unwrap();
}

#[test]
fn suspended_port_refuses_and_listens_again_at_the_same_address() {
    for sharing in [Sharing::Inherited, Sharing::HandOff, Sharing::ReusePort] {
        let mut all =
            Listeners::bind(&[tcp("127.0.0.1:0")], sharing, 3, Passed::default()).unwrap();
        let BoundAddress::Tcp(bound) = *all.addresses()[0] else { panic!("it is TCP") };
        for _ in 0..3 {
            all.listen().unwrap();
            let _waits = TcpStream::connect(bound).unwrap();
            assert!(all.suspend().unwrap().is_empty());
            let refused = TcpStream::connect(bound).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{sharing:?}");
        }
    }
}

/// The kernel records a shutdown of a socket that does not listen yet, and passes it on.
#[test]
fn port_suspended_before_it_listens_accepts_whole_connections() {
    for sharing in [Sharing::Inherited, Sharing::HandOff, Sharing::ReusePort] {
        let mut all =
            Listeners::bind(&[tcp("127.0.0.1:0")], sharing, 1, Passed::default()).unwrap();
        let BoundAddress::Tcp(bound) = *all.addresses()[0] else { panic!("it is TCP") };
        all.suspend().unwrap();
        all.listen().unwrap();
        let _client = TcpStream::connect(bound).unwrap();
        let copy = match &mut all {
            Listeners::Inherited(one) | Listeners::HandOff(one) => one[0].as_fd(),
            Listeners::ReusePort(groups) => groups[0].slot(SlotId(0)).unwrap(),
        };
        let listener = std::net::TcpListener::from(copy.try_clone_to_owned().unwrap());
        listener.set_nonblocking(false).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let error = accepted.read(&mut [0]).expect_err("it has not ended");
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{sharing:?}");
    }
}

#[test]
fn suspended_unix_socket_refuses_and_is_bound_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let mut listener = bind_unix(&path).unwrap();
    listener.suspend().unwrap();
    assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(listener.listen().unwrap(), "the descriptor is a different one");
    UnixStream::connect(&path).unwrap();
    drop(listener);
    assert!(!path.exists(), "the file of the new socket is removed as well");
}

#[test]
fn socket_of_systemd_cannot_be_suspended() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bound = socket.local_addr().unwrap();
    let passed = Passed::new("web", vec![socket.into()]);
    let listen = [tcp("127.0.0.1:0"), at(Address::Systemd("web".into()))];
    let mut all = Listeners::bind(&listen, Sharing::Inherited, 1, passed).unwrap();
    all.listen().unwrap();
    assert_eq!(all.suspend().unwrap(), [1], "the primary has to turn clients away there");
    TcpStream::connect(bound).unwrap();
}

#[test]
fn port_taken_before_it_listens_is_reported() {
    let mut slow = Listener::bind(&tcp("127.0.0.1:0"), &mut Passed::default()).unwrap();
    let _fast = bind(&tcp(&address(slow.address()).to_string())).unwrap();
    let error = slow.listen().unwrap_err().to_string();
    assert!(error.contains("two addresses of this program overlap"), "{error}");
}

#[test]
fn removed_file_of_a_unix_socket_is_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let mut listener = bind_unix(&path).unwrap();
    assert!(!listener.renew().unwrap(), "it still exists");
    let before = listener.as_fd().try_clone_to_owned().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(listener.renew().unwrap());
    UnixStream::connect(&path).unwrap();
    drop(before);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "another program's").unwrap();
    assert!(!listener.renew().unwrap(), "this file is not ours to replace");
}
