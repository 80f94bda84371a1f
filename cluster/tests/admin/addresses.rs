//! The address of the server, from its start to its stop.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cluster::admin::{self, Server};
use cluster::config::Admin;
use cluster::primary::Command;

use crate::client::{address, connect, get, request, wait_for_close};
use crate::{TOKEN, any_port, obey, on_unix, start};

#[test]
fn socket_is_only_for_its_owner_and_goes_with_the_server() {
    let (server, folder) = on_unix(obey);
    let path = folder.path().join("admin.sock");
    assert_eq!(address(&server), format!("unix:{}", path.display()));
    let mode = std::fs::metadata(&path).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.stop();
    assert!(!path.exists());
}

#[test]
fn a_socket_that_is_no_longer_ours_stays() {
    let (server, folder) = on_unix(obey);
    let path = folder.path().join("admin.sock");
    std::fs::remove_file(&path).expect("our folder");
    let _other = UnixListener::bind(&path).expect("a free path");
    drop(server);
    assert!(path.exists());
}

#[test]
fn only_a_left_over_socket_is_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("admin.sock");
    let at = Admin::Unix(Some(path.clone()));
    let refused = || {
        let (sender, _commands) = tokio::sync::mpsc::channel(1);
        admin::start(&at, None, sender).expect_err("it must not be replaced").to_string()
    };
    std::fs::write(&path, "precious").expect("our folder");
    assert!(refused().contains("there is a file that is not a socket"), "{}", refused());
    std::fs::remove_file(&path).expect("our folder");

    let living = UnixListener::bind(&path).expect("a free path");
    assert!(refused().contains("another program is listening there"), "{}", refused());
    assert!(refused().contains("CLUSTER_API_SOCKET"));
    drop(living);

    let server = start(&at, None, obey);
    assert_eq!(get(&server, "/health").status, 200);
}

#[test]
fn the_default_path_contains_the_pid_and_gives_way_to_others() {
    let default = Admin::Unix(None);
    let path_of = |server: &Server| PathBuf::from(address(server).trim_start_matches("unix:"));
    let server = start(&default, None, obey);
    assert_eq!(default.address().as_deref(), server.address());
    let path = path_of(&server);
    let name = format!("cluster-{}.sock", std::process::id());
    assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(name.as_str()));
    drop(server);
    assert!(!path.exists());
    assert_eq!(default.address(), Some(format!("unix:{}", path.display())), "known beforehand");

    let _other_container = UnixListener::bind(&path).expect("a free path");
    let server = start(&default, None, obey);
    let second = path.with_file_name(format!("cluster-{}-2.sock", std::process::id()));
    assert_eq!(path_of(&server), second);
    assert_eq!(default.address().as_deref(), server.address(), "the real address");
    assert_eq!(get(&server, "/health").status, 200);
    drop(server);
    assert!(path.exists() && !second.exists());
    std::fs::remove_file(path).expect("it is ours");
}

#[test]
fn a_taken_port_is_reported() {
    let taken = TcpListener::bind(any_port()).expect("a free port");
    let address = taken.local_addr().expect("it is bound");
    let (sender, _commands) = tokio::sync::mpsc::channel(1);
    let error = admin::start(&Admin::Tcp(address), None, sender).expect_err("it is taken");
    let text = error.to_string();
    assert!(text.contains(&address.to_string()) && text.contains("CLUSTER_API_PORT"), "{text}");
}

#[test]
fn ipv6_everywhere_leaves_ipv4_to_others() {
    let server = start(&Admin::Tcp(([0_u16; 8], 0).into()), Some(TOKEN), obey);
    let port = address(&server).rsplit_once(':').expect("a port").1.parse::<u16>();
    TcpListener::bind(("0.0.0.0", port.expect("a number"))).expect("IPv4 is free");
    assert_eq!(get(&server, "/health").status, 200);
}

#[test]
fn off_is_off() {
    let (sender, commands) = tokio::sync::mpsc::channel::<Command>(1);
    assert!(admin::start(&Admin::Off, None, sender).expect("nothing to go wrong").is_none());
    assert!(commands.is_closed());
}

#[test]
fn stopping_does_not_wait_for_clients() {
    let (begun, reloads) = mpsc::channel();
    let (server, _folder) = on_unix(move |command| match command {
        Command::Reload(reply) => begun.send(reply).expect("the test listens"),
        other => obey(other),
    });
    let mut silent = connect(&server);
    let mut waiting = connect(&server);
    waiting.write_all(request("POST /reload", &[], "").as_bytes()).expect("it reads");
    let _never_answered = reloads.recv_timeout(Duration::from_secs(20)).expect("it has started");
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        drop(server);
        ended.send(()).expect("the test is waiting");
    });
    end.recv_timeout(Duration::from_secs(20)).expect("it ended");
    wait_for_close(&mut *silent);
    wait_for_close(&mut *waiting);
}

#[test]
fn the_address_is_known_before_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = Admin::Unix(Some(folder.path().join("admin.sock")));
    assert_eq!(start(&at, None, obey).address(), at.address().as_deref());
    let tcp = Admin::Tcp(([127, 0, 0, 1], 9000).into());
    assert_eq!(tcp.address().as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(Admin::Off.address(), None);
}
