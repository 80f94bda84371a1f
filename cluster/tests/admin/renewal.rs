//! Socket files that are removed or replaced while the API runs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use cluster::primary::Command;

use crate::client::{address, connect, get, read_answer, request};
use crate::{obey, on_tcp, on_unix};

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).expect("the socket").ino()
}

#[test]
fn removed_socket_file_is_created_again_and_no_answer_is_lost() {
    let (begun, reloads) = mpsc::channel();
    let (mut server, folder) = on_unix(move |command| match command {
        Command::Reload(reply) => begun.send(reply).expect("the test listens"),
        other => obey(other),
    });
    let path = folder.path().join("admin.sock");
    let mut waiting = connect(&server);
    waiting.write_all(request("POST /reload", &[], "").as_bytes()).expect("it reads");
    let reply = reloads.recv_timeout(Duration::from_secs(20)).expect("it has started");
    let before = inode(&path);
    server.renew();
    assert_eq!(inode(&path), before, "there is nothing to do");

    fs::remove_file(&path).expect("our folder");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is room");
    runtime.block_on(async { server.renew() }); // the primary calls it in its loop
    assert_eq!(address(&server), format!("unix:{}", path.display()));
    assert_eq!(fs::metadata(&path).expect("the new socket").mode() & 0o777, 0o600);
    assert_eq!(get(&server, "/health").status, 200);
    reply.send(Ok(4)).expect("the API waits for it");
    assert_eq!(read_answer(&mut *waiting).status, 200);
    drop(server);
    assert!(!path.exists());
}

#[test]
fn file_that_is_not_ours_is_never_replaced() {
    let (mut server, folder) = on_unix(obey);
    let path = folder.path().join("admin.sock");
    let socket_of_the_dead = |path: &Path| drop(UnixListener::bind(path).expect("a free path"));
    let plain_file = |path: &Path| fs::write(path, "precious").expect("our folder");
    for put in [&socket_of_the_dead as &dyn Fn(&Path), &plain_file] {
        fs::remove_file(&path).expect("our folder");
        put(&path);
        let theirs = inode(&path);
        server.renew();
        server.renew();
        assert_eq!((server.address(), inode(&path)), (None, theirs));
        fs::remove_file(&path).expect("our folder");
        server.renew();
        assert_eq!(get(&server, "/health").status, 200);
    }
}

#[test]
fn old_listener_closes_when_its_file_was_moved_away() {
    let (mut server, folder) = on_unix(obey);
    let (path, moved) = (folder.path().join("admin.sock"), folder.path().join("moved.sock"));
    fs::rename(&path, &moved).expect("our folder");
    server.renew();
    assert_eq!(get(&server, "/health").status, 200);
    // The thread closed the old listener before it accepted that connection.
    let refused = UnixStream::connect(&moved).expect_err("no process is listening");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn server_on_tcp_has_nothing_to_renew() {
    let mut server = on_tcp(None);
    let before = address(&server).to_owned();
    server.renew();
    assert_eq!(address(&server), before);
    assert_eq!(get(&server, "/health").status, 200);
}
