//! Unix sockets: files that are in the way, and files that are removed at the end.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::sync::{Arc, Barrier};
use std::thread;

use nix::fcntl::{Flock, FlockArg};

use super::bind_unix;

#[test]
fn the_file_exists_while_it_listens_and_is_gone_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let listener = bind_unix(&path).unwrap();
    assert_eq!(listener.address().url(), format!("unix:{}", path.display()));
    UnixStream::connect(&path).unwrap();
    drop(listener);
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        0,
        "nothing is left behind, not even a lock file"
    );
}

#[test]
fn the_socket_of_a_dead_server_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    drop(UnixListener::bind(&path).unwrap()); // the file stays, as after SIGKILL
    let _listener = bind_unix(&path).unwrap();
    UnixStream::connect(&path).unwrap();
}

#[test]
fn the_socket_of_a_living_server_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let living = UnixListener::bind(&path).unwrap();
    let error = bind_unix(&path).unwrap_err().to_string();
    assert!(error.contains("another server is listening there"), "{error}");
    living.accept().unwrap(); // the probe by `bind`
    UnixStream::connect(&path).unwrap();
}

#[test]
fn a_living_server_with_a_full_queue_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let living = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    living.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    living.listen(0).unwrap();
    let _first = UnixStream::connect(&path).unwrap(); // a queue of 0 holds one
    let error = bind_unix(&path).unwrap_err().to_string();
    assert!(error.contains("another server is listening there"), "{error}");
}

#[test]
fn a_file_that_is_not_ours_is_never_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    fs::write(&path, "data").unwrap();
    let error = bind_unix(&path).unwrap_err().to_string();
    assert!(error.contains("not a socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "data");

    let path = dir.path().join("syslog");
    let _datagrams = UnixDatagram::bind(&path).unwrap();
    bind_unix(&path).unwrap_err();
    assert!(path.exists());

    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("precious"), &link).unwrap();
    bind_unix(&link).unwrap_err();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_file_that_another_server_put_there_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let listener = bind_unix(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    drop(listener);
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    drop(other);
}

#[test]
fn a_path_that_is_too_long_or_leads_nowhere_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("x".repeat(120));
    let error = bind_unix(&long).unwrap_err().to_string();
    assert!(error.contains("107"), "{error}");
    let error = bind_unix(&dir.path().join("missing/app.sock")).unwrap_err().to_string();
    assert!(error.contains("there is no directory") && error.contains("missing"), "{error}");
}

#[test]
fn one_of_two_servers_wins_the_file_of_a_dead_one() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let path = dir.path().join(format!("{round}.sock"));
        drop(UnixListener::bind(&path).unwrap());
        let start = Arc::new(Barrier::new(2));
        let servers = [(); 2].map(|()| {
            let (start, path) = (Arc::clone(&start), path.clone());
            thread::spawn(move || {
                start.wait();
                bind_unix(&path)
            })
        });
        let bound: Vec<_> = servers.into_iter().map(|server| server.join().unwrap()).collect();
        assert_eq!(bound.iter().filter(|it| it.is_ok()).count(), 1, "{bound:?}");
        UnixStream::connect(&path).expect("the winner can be reached");
    }
}

#[test]
fn after_refuse_a_unix_client_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    let listener = bind_unix(&path).unwrap();
    listener.refuse().unwrap();
    match UnixStream::connect(&path) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        Ok(mut stream) => panic!("connected, and read {:?}", stream.read(&mut [0])),
    }
}

#[test]
fn nothing_is_removed_while_another_server_holds_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    drop(UnixListener::bind(&path).unwrap());
    let starting = Flock::lock(File::open(&dir).unwrap(), FlockArg::LockExclusive).unwrap();
    let error = bind_unix(&path).unwrap_err().to_string(); // after a while: it waits for the lock
    assert!(error.contains("holds a lock"), "{error}");
    assert!(path.exists());
    drop(starting);
    bind_unix(&path).unwrap();
}
