//! TCP: the port that we got, and why we got none.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};

use cluster::config::Sharing;
use cluster::listener::Listeners;
use cluster::listener::systemd::Passed;

use super::{address, bind, tcp};

#[test]
fn port_0_becomes_a_real_port() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let bound = address(listener.address());
    assert_ne!(bound.port(), 0);
    assert_eq!(listener.address().url(), format!("http://{bound}"));
    TcpStream::connect(bound).unwrap();
}

#[test]
fn a_taken_port_is_named_with_its_holder_and_what_to_do() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let error = bind(&tcp(&taken.to_string())).unwrap_err().to_string();
    assert!(error.contains(&taken.to_string()), "{error}");
    assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
    assert!(error.contains("CLUSTER_LISTEN"), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn a_port_taken_on_every_address_is_taken_on_ours() {
    let other = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let error = bind(&tcp(&format!("127.0.0.1:{port}"))).unwrap_err().to_string();
    assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
}

#[test]
fn an_address_of_another_host_is_said_to_be_so() {
    let error = bind(&tcp("192.0.2.1:0")).unwrap_err().to_string();
    assert!(error.contains("this host has no such address"), "{error}");
}

#[test]
fn when_one_address_cannot_be_had_none_stays_bound() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listen = [tcp(&free.to_string()), tcp(&other.local_addr().unwrap().to_string())];
    Listeners::bind(&listen, Sharing::Inherited, 1, Passed::default()).unwrap_err();
    let refused = TcpStream::connect(free).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn after_refuse_the_kernel_refuses_though_a_copy_is_open() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let _copy_of_a_hung_worker = std::os::fd::AsFd::as_fd(&listener).try_clone_to_owned().unwrap();
    listener.refuse().unwrap();
    let error = TcpStream::connect(address(listener.address())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_port_is_free_again_at_once_though_connections_are_in_time_wait() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let bound = address(listener.address());
    let client = TcpStream::connect(bound).unwrap();
    let accepted = loop {
        match accept(&listener) {
            Ok(fd) => break fd,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    };
    drop(accepted); // the server closes first, so TIME_WAIT is on its side
    drop(client);
    drop(listener);
    bind(&tcp(&bound.to_string())).unwrap();
}

fn accept(listener: &cluster::listener::Listener) -> std::io::Result<TcpStream> {
    let copy = std::os::fd::AsFd::as_fd(listener).try_clone_to_owned()?;
    TcpListener::from(copy).accept().map(|(stream, _)| stream)
}
