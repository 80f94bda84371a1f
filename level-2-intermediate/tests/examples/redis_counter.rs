//! The lesson of `redis-counter`, from outside. Tests that need a Redis are in the test target `redis`.

use std::io::{self, Write};
use std::process::Command;
use std::thread;

use lab::Service;
use lab::suite::stderr;
use nix::sys::signal::Signal;

use crate::numbers::{counter, number};
use crate::{SUITE, start};

/// The example on a machine that has no Redis.
fn without_redis() -> Command {
    let mut command = SUITE.command("redis-counter", &["--workers", "2"]);
    command.env_remove("REDIS_URL").env_remove("REDIS_SERVER_BIN").env("PATH", "/nowhere");
    command
}

#[test]
fn only_valid_requests_are_counted() {
    let service = start("redis-counter", &["--workers", "1"]);
    let mut client = service.connect().expect("it accepts");
    assert_eq!(client.get("/increment?in=head").expect("answered").status, 400);
    assert_eq!(client.get("/nothing").expect("answered").status, 404);
    assert_eq!(client.post("/counter", "").expect("answered").status, 404);
    assert_eq!(client.post("/increment?in=memory", "").expect("answered").status, 200);
    assert_eq!(number(&client.get("/counter?in=memory").expect("answered"), "memory"), 1);
}

#[test]
fn without_redis_the_example_says_so_and_counts_in_two_ways() {
    let service = Service::launch(without_redis()).and_then(Service::until_ready);
    let service = service.expect("it starts");
    service.prints("no Redis available").expect("it says so");
    let answer = service.get("/increment").expect("answered");
    assert_eq!((answer.status, number(&answer, "memory")), (200, 1));
    assert!(!answer.body.contains("redis"), "{}", answer.body);
    let asked = service.get("/increment?in=redis").expect("answered");
    assert_eq!(asked.status, 503);
    assert!(asked.body.contains("no Redis available"), "{}", asked.body);
}

#[test]
fn without_redis_the_demo_says_what_it_left_out() {
    let output = without_redis().arg("--demo").output().expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}{}", stderr(&output));
    assert_eq!(table.matches("left out").count(), 2, "{table}");
}

#[test]
fn redis_that_is_named_must_answer() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = taken.local_addr().expect("it is bound");
    drop(taken);
    for (url, said) in [
        (format!("redis://me:secret@{closed}/"), format!("no Redis answers at {closed}")),
        ("redis:somewhere".to_owned(), "is not the address of a Redis".to_owned()),
        ("http://127.0.0.1/".to_owned(), "is not the address of a Redis".to_owned()),
        ("unix:///nowhere/socket".to_owned(), "no Redis answers at /nowhere/socket".to_owned()),
    ] {
        let output = SUITE.bounded("redis-counter").env("REDIS_URL", &url).output();
        let output = output.expect("it runs");
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{url}: {error}");
        assert!(error.starts_with("error: ") && error.contains(&said), "{url}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains("secret"), "the password is not shown: {error}");
        assert!(output.stdout.is_empty(), "it is not ready");
    }
}

#[test]
fn a_redis_that_refuses_is_quoted() {
    for (answer, said) in [
        ("-NOAUTH Authentication required.\r\n", "needs a password"),
        ("-LOADING Redis is loading the dataset\r\n", "no working Redis answers"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "no working Redis answers"),
    ] {
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let place = refusing.local_addr().expect("it is bound");
        let server = thread::spawn(move || {
            let (mut client, _) = refusing.accept().expect("the example connects");
            let _ = client.write_all(answer.repeat(10).as_bytes()); // to any command
            let _ = io::copy(&mut client, &mut io::sink());
        });
        let url = format!("redis://{place}/");
        let output = SUITE.bounded("redis-counter").env("REDIS_URL", url).output();
        let output = output.expect("it runs");
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{answer}: {error}");
        assert!(error.contains(said) && !error.contains("no Redis answers"), "{answer}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        server.join().expect("it does not panic");
    }
}

#[test]
fn program_that_is_not_a_redis_is_reported() {
    let mut command = SUITE.bounded("redis-counter");
    command.env_remove("REDIS_URL").env("REDIS_SERVER_BIN", "/bin/false");
    let output = command.output().expect("it runs");
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("/bin/false exited at once") && error.contains("REDIS_SERVER_BIN"));
}

#[test]
fn worker_that_dies_loses_only_its_own_variable() {
    let mut service = start("redis-counter", &["--workers", "1"]);
    for _ in 0..5 {
        service.get("/increment").expect("answered");
    }
    let victim = service.workers().expect("/proc is there")[0];
    service.signal(victim, Signal::SIGKILL).expect("it runs");
    service.replaced(victim, 1).expect("it is replaced");
    let counted = counter(&service);
    assert_eq!((number(&counted, "process"), number(&counted, "memory")), (0, 5));
}
