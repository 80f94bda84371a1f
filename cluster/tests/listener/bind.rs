//! TCP: the port that we get, or the reason why we get none.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use cluster::config::Sharing;
use cluster::listener::Listeners;
use cluster::listener::systemd::Passed;
use socket2::{Domain, Socket, Type};

use super::{address, bind, tcp};

#[test]
fn port_0_becomes_a_real_port() {
    let listener = bind(&tcp("127.0.0.1:0")).unwrap();
    let bound = address(listener.address());
    assert_ne!(bound.port(), 0);
    assert_eq!(listener.address().url(), format!("http://{bound}"));
    TcpStream::connect(bound).unwrap();
}

/// A process that holds a listening socket as its standard input; it is killed when this is
/// dropped.
struct Other(Child);

impl Other {
    fn holding(listener: TcpListener) -> Self {
        let input = Stdio::from(OwnedFd::from(listener));
        Self(Command::new("sleep").arg("1000").stdin(input).spawn().unwrap())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

#[test]
fn a_taken_port_is_reported_with_its_holder_and_advice() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    let other = Other::holding(listener);
    let error = bind(&tcp(&taken.to_string())).unwrap_err().to_string();
    assert!(error.contains(&taken.to_string()), "{error}");
    assert!(error.contains(&format!("pid {}, `sleep`", other.0.id())), "{error}");
    assert!(error.contains("CLUSTER_LISTEN"), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn a_port_taken_on_every_address_is_taken_on_ours() {
    for everywhere in ["0.0.0.0:0", "[::]:0"] {
        let listener = TcpListener::bind(everywhere).unwrap(); // std's `[::]` includes IPv4
        let port = listener.local_addr().unwrap().port();
        let other = Other::holding(listener);
        let error = bind(&tcp(&format!("127.0.0.1:{port}"))).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", other.0.id())), "{error}");
    }
}

#[test]
fn the_holder_of_a_port_is_never_this_process() {
    let ours = bind(&tcp("0.0.0.0:0")).unwrap();
    let port = address(ours.address()).port();
    let error = bind(&tcp(&format!("127.0.0.1:{port}"))).unwrap_err().to_string();
    assert!(error.contains("two addresses of this program overlap"), "{error}");
    assert!(error.contains("CLUSTER_LISTEN, CLUSTER_API_PORT"), "{error}");
    assert!(!error.contains("pid"), "{error}");
}

#[test]
fn ipv4_and_ipv6_share_a_port_in_every_order_and_sharing_mode() {
    for sharing in [Sharing::Inherited, Sharing::ReusePort, Sharing::HandOff] {
        for swapped in [false, true] {
            let (_reserved, port) = reserve();
            let mut listen = [tcp(&format!("0.0.0.0:{port}")), tcp(&format!("[::]:{port}"))];
            if swapped {
                listen.reverse();
            }
            let all = Listeners::bind(&listen, sharing, 2, Passed::default());
            let mut all = all.unwrap_or_else(|error| panic!("{sharing:?} {swapped}: {error}"));
            all.listen().unwrap_or_else(|error| panic!("{sharing:?} {swapped}: {error}"));
            assert_eq!(all.addresses().len(), 2);
            TcpStream::connect(("127.0.0.1", port)).unwrap();
            TcpStream::connect(("::1", port)).unwrap();
        }
    }
}

#[test]
fn ipv6_everywhere_is_ipv6_only() {
    let listener = bind(&tcp("[::]:0")).unwrap();
    let port = address(listener.address()).port();
    TcpStream::connect(("::1", port)).unwrap();
    let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    bind(&tcp("[::ffff:127.0.0.1]:0")).expect("an IPv4 address in IPv6 form");
}

/// A port that the kernel does not give to any other socket, and that we can bind: the socket that
/// holds it does not listen, and `SO_REUSEADDR` is set on both.
fn reserve() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from(([0, 0, 0, 0], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

#[test]
fn an_address_of_another_host_is_reported_as_such() {
    let error = bind(&tcp("192.0.2.1:0")).unwrap_err().to_string();
    assert!(error.contains("this host has no such address"), "{error}");
}

#[test]
fn no_address_stays_bound_when_one_is_taken() {
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
fn a_port_is_free_at_once_despite_connections_in_time_wait() {
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
