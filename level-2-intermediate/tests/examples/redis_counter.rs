//! The lesson of `redis-counter`, from outside.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lab::suite::stderr;
use lab::{Answer, RedisServer, Service, proc, wait_for};
use nix::sys::signal::Signal;

use crate::{SUITE, start};

/// A number in an answer such as `worker 17\nmemory      42\n`.
fn number(answer: &Answer, way: &str) -> u64 {
    let line = answer.body.lines().find_map(|line| line.strip_prefix(&format!("{way} ")));
    let number = line.and_then(|rest| rest.trim().parse().ok());
    number.unwrap_or_else(|| panic!("no {way} in {:?}", answer.body))
}

fn counter(service: &Service) -> Answer {
    service.get("/counter").expect("it is answered")
}

/// The example with a Redis that this test may kill; `None` when the machine has none.
fn with_redis(args: &[&str]) -> Option<(RedisServer, Service)> {
    let server = RedisServer::for_test()?;
    let service = start("redis-counter", &[&["--redis", &server.url()], args].concat());
    Some((server, service))
}

/// The example on a machine that has no Redis.
fn without_redis() -> Command {
    let mut command = SUITE.command("redis-counter", &["--workers", "2"]);
    command.env_remove("REDIS_URL").env_remove("REDIS_SERVER_BIN").env("PATH", "/nowhere");
    command
}

#[test]
fn every_request_is_counted_in_every_way() {
    let Some((_server, service)) = with_redis(&["--workers", "3"]) else { return };
    for _ in 0..10 {
        for answer in service.get_at_once(16, "/increment").expect("none is lost") {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }
    let counted = counter(&service);
    assert_eq!((number(&counted, "memory"), number(&counted, "redis")), (160, 160));
    assert!(number(&counted, "process") < 160, "another worker has some: {}", counted.body);
    for wrong in ["load-store", "get-set"] {
        assert!((1..=160).contains(&number(&counted, wrong)), "{}", counted.body);
    }
    service.get("/increment?in=memory").expect("answered");
    let after = counter(&service);
    assert_eq!((number(&after, "memory"), number(&after, "redis")), (161, 160));
}

#[test]
fn only_what_makes_sense_is_counted() {
    let service = start("redis-counter", &["--workers", "1"]);
    let mut client = service.connect().expect("it accepts");
    assert_eq!(client.get("/increment?in=head").expect("answered").status, 400);
    assert_eq!(client.get("/nothing").expect("answered").status, 404);
    assert_eq!(client.post("/counter", "").expect("answered").status, 404);
    assert_eq!(client.post("/increment?in=memory", "").expect("answered").status, 200);
    assert_eq!(number(&client.get("/counter?in=memory").expect("answered"), "memory"), 1);
}

#[test]
fn without_redis_it_says_so_and_counts_in_two_ways() {
    let service = Service::launch(without_redis()).and_then(Service::until_ready);
    let service = service.expect("it starts");
    service.hears("no Redis at hand").expect("it says so");
    let answer = service.get("/increment").expect("answered");
    assert_eq!((answer.status, number(&answer, "memory")), (200, 1));
    assert!(!answer.body.contains("redis"), "{}", answer.body);
    let asked = service.get("/increment?in=redis").expect("answered");
    assert_eq!(asked.status, 503);
    assert!(asked.body.contains("no Redis at hand"), "{}", asked.body);
}

#[test]
fn without_redis_the_demo_says_what_it_left_out() {
    let output = without_redis().arg("--demo").output().expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}{}", stderr(&output));
    assert_eq!(table.matches("left out").count(), 2, "{table}");
}

#[test]
fn a_redis_that_was_named_has_to_be_there() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = taken.local_addr().expect("it is bound");
    drop(taken);
    for (url, said) in [
        (format!("redis://me:secret@{closed}/"), format!("no Redis answers at {closed}")),
        ("redis:somewhere".to_owned(), "is no address of a Redis".to_owned()),
        ("http://127.0.0.1/".to_owned(), "is no address of a Redis".to_owned()),
        ("unix:///nowhere/socket".to_owned(), "no Redis answers at /nowhere/socket".to_owned()),
    ] {
        let output = SUITE.bounded("redis-counter").env("REDIS_URL", &url).output();
        let output = output.expect("it runs");
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{url}: {error}");
        assert!(error.starts_with("error: ") && error.contains(&said), "{url}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains("secret"), "a password is nobody's business: {error}");
        assert!(output.stdout.is_empty(), "it is not ready");
    }
}

#[test]
fn a_program_that_is_no_redis_is_reported() {
    let mut command = SUITE.bounded("redis-counter");
    command.env_remove("REDIS_URL").env("REDIS_SERVER_BIN", "/bin/false");
    let output = command.output().expect("it runs");
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("/bin/false ended at once") && error.contains("REDIS_SERVER_BIN"));
}

#[test]
fn a_redis_of_its_own_ends_with_it() {
    let Some(server) = RedisServer::for_test() else { return };
    drop(server);
    // A place of its own, to see what is left there.
    let place = std::env::temp_dir().join(format!("redis-counter-{}", std::process::id()));
    fs::create_dir(&place).expect("there is room");
    let place = Folder(place);
    let left = || {
        let entries = fs::read_dir(&place.0).expect("it is there").flatten();
        entries.filter(|it| it.file_name().to_string_lossy().contains("redis")).count()
    };
    for signal in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM] {
        let mut command = SUITE.command("redis-counter", &["--workers", "2"]);
        command.env_remove("REDIS_URL").env("TMPDIR", &place.0);
        let service = Service::launch(command).and_then(Service::until_ready);
        let mut service = service.expect("it starts, whatever the one before has left");
        assert_eq!(left(), 1, "what the one before has left is gone");
        let said = service.hears("started a Redis for itself").expect("it says so");
        let redis = said.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid");
        assert!(!proc::gone(redis) && service.workers().expect("/proc is there").len() == 2);
        assert_eq!(number(&service.get("/increment").expect("answered"), "redis"), 1);
        service.end(signal).expect("it ends");
        wait_for("its Redis to end", || proc::gone(redis).then_some(())).expect("it ends, too");
        let expected = usize::from(signal == Signal::SIGKILL); // there was no time to tidy up
        assert_eq!(left(), expected, "{signal}");
    }
}

/// Removed at the end, also of a test that fails.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_redis_that_is_killed_costs_no_worker_and_is_found_again() {
    let Some((mut server, mut service)) = with_redis(&["--workers", "2"]) else { return };
    let workers = service.workers().expect("/proc is there");
    service.get_at_once(16, "/increment").expect("none is lost");
    server.kill().expect("it is ours");
    for answer in service.get_at_once(16, "/increment").expect("each is answered") {
        assert_eq!(answer.status, 503, "{}", answer.body);
    }
    service.hears_times("Redis is lost", 2).expect("each worker notices");
    for answer in service.get_at_once(16, "/increment?in=memory").expect("each is answered") {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(service.workers().expect("/proc is there"), workers, "nobody died of it");

    // A worker that is born now lives, too.
    service.signal(workers[0], Signal::SIGKILL).expect("it runs");
    let newcomer = service.replaced(workers[0], 2).expect("it is replaced");
    service.all_answer(&[newcomer]).expect("it serves");

    let _server = server.restart().expect("it starts");
    wait_for("all to be well", || {
        let answers = service.get_at_once(16, "/increment?in=redis").expect("each is answered");
        answers.iter().all(|answer| answer.status == 200).then_some(())
    })
    .expect("they reconnect");
    service.hears(&format!("{} worker: Redis is back", workers[1])).expect("it says so");
}

#[test]
fn a_redis_that_hangs_is_waited_for_once() {
    let Some((server, service)) = with_redis(&["--workers", "1"]) else { return };
    assert_eq!(service.get("/increment").expect("answered").status, 200);
    service.signal(server.pid(), Signal::SIGSTOP).expect("it runs");
    let first = service.get("/increment").expect("answered, in the end");
    assert_eq!(first.status, 503);
    let second = service.get("/increment").expect("answered");
    assert!(second.body.contains("try again later"), "this one did not ask: {}", second.body);
    service.signal(server.pid(), Signal::SIGCONT).expect("it is there");
    service.hears("Redis is back").expect("it is");
    assert_eq!(service.get("/increment").expect("answered").status, 200);
}

#[test]
fn a_worker_that_dies_takes_its_own_variable_alone() {
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
