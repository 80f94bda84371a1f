//! Sockets that systemd owns. The environment that announces them belongs to a process, so it is
//! tested in a child process: this test program again, with one test that does nothing on its own.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use cluster::config::Address;
use cluster::listener::systemd::{Passed, VARIABLES};
use cluster::listener::systemd::{notify_ready, notify_reloading, notify_stopping};
use cluster::listener::{BoundAddress, Listener};
use command_fds::{CommandFdExt, FdMapping};

use super::{address, at};

fn systemd(name: &str) -> cluster::config::Listen {
    at(Address::Systemd(name.into()))
}

#[test]
fn a_socket_is_found_by_its_name() {
    let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let expected = sockets[1].local_addr().unwrap();
    let mut passed = Passed::new("web:admin", sockets.map(OwnedFd::from).into());
    let listener = Listener::bind(&systemd("admin"), &mut passed).unwrap();
    assert_eq!(*listener.address(), BoundAddress::Tcp(expected));
    let error = Listener::bind(&systemd("admin"), &mut passed).unwrap_err().to_string();
    assert!(error.contains("systemd passed `web`"), "it can be taken only once: {error}");
}

#[test]
fn the_error_without_systemd_shows_what_to_do() {
    let error = Listener::bind(&systemd("web"), &mut Passed::default()).unwrap_err().to_string();
    assert!(error.contains("FileDescriptorName=web"), "{error}");
    assert!(error.contains("not started by systemd"), "{error}");
}

#[test]
fn a_socket_of_systemd_is_never_shut_down() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut passed = Passed::new("web", vec![socket.into()]);
    let listener = Listener::bind(&systemd("web"), &mut passed).unwrap();
    listener.refuse().unwrap();
    TcpStream::connect(address(listener.address())).expect("it still accepts");
}

#[test]
fn the_environment_of_a_service_is_understood() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let expected = socket.local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let notifications = UnixDatagram::bind(dir.path().join("notify")).unwrap();

    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "systemd::as_a_service", "--ignored", "--nocapture"]);
    child.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "web").env_remove("LISTEN_PID");
    child.env("NOTIFY_SOCKET", dir.path().join("notify")).stdout(Stdio::piped());
    child.fd_mappings(vec![FdMapping { parent_fd: socket.into(), child_fd: 3 }]).unwrap();
    let mut child = child.spawn().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains(&format!("bound {expected}")), "{said}");

    let receive = || {
        let mut bytes = [0; 256];
        let length = notifications.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert_eq!(receive(), "READY=1\nSTATUS=2 workers serve\n");
    let reloading = receive();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(receive(), "STOPPING=1\n");
}

#[test]
fn passed_connection_is_refused_with_advice() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let mut passed = Passed::new("web", vec![client.into()]);
    let error = Listener::bind(&systemd("web"), &mut passed).unwrap_err().to_string();
    assert!(error.contains("Accept=no"), "{error}");
}

#[test]
fn passed_socket_that_does_not_listen_yet_listens_on_request() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut passed = Passed::new("web", vec![socket.into()]);
    let mut listener = Listener::bind(&systemd("web"), &mut passed).unwrap();
    TcpStream::connect(address).unwrap_err();
    listener.listen().unwrap();
    TcpStream::connect(address).unwrap();
}

#[test]
#[ignore = "it is the child of another test"]
fn as_a_service() {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return; // a run of all ignored tests
    }
    assert!(VARIABLES.contains(&"LISTEN_FDS") && VARIABLES.contains(&"NOTIFY_SOCKET"));
    let listener = Listener::bind(&systemd("web"), &mut Passed::from_env().unwrap()).unwrap();
    println!("bound {}", listener.address());
    notify_ready("2 workers serve");
    notify_reloading();
    notify_stopping();
}
