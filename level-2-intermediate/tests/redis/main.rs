//! The lesson of `redis-counter` with a Redis. Each test has a server of its own, which it may kill.
//!
//! If no server is found, the tests are reported as ignored, with the reason; with
//! `WORKBOOK_NEEDS_REDIS=1`, which `./test.sh` sets, they fail.

#[path = "../examples/numbers.rs"]
mod numbers;
#[path = "../examples/suite.rs"]
mod suite;

use std::fs;
use std::path::PathBuf;

use lab::contract::breaks;
use lab::{RedisServer, Service, proc, wait_for};
use libtest_mimic::{Arguments, Completion, Trial};
use nix::sys::signal::Signal;

use numbers::{counter, number};
use suite::{SUITE, start};

fn main() {
    let trials = vec![
        trial("every_request_is_counted_in_every_way", every_request_is_counted_in_every_way),
        trial("a_redis_of_its_own_ends_with_it", a_redis_of_its_own_ends_with_it),
        trial(
            "a_redis_of_its_own_that_is_killed_is_reaped_and_replaced",
            a_redis_of_its_own_that_is_killed_is_reaped_and_replaced,
        ),
        trial(
            "a_redis_that_is_killed_costs_no_worker_and_is_found_again",
            a_redis_that_is_killed_costs_no_worker_and_is_found_again,
        ),
        trial("a_redis_that_hangs_is_waited_for_once", a_redis_that_hangs_is_waited_for_once),
        trial("the_demo_cannot_hold_when_its_claim_is_false", |_| {
            breaks(&SUITE, "redis-counter", "--wrong=get-set", "Redis, INCR: all, exactly");
            breaks(&SUITE, "redis-counter", "--wrong=patient", "Redis is killed: 503, and fast");
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(name: &str, run: fn(&mut RedisServer)) -> Trial {
    Trial::ignorable_test(name, move || match RedisServer::for_test() {
        Ok(mut server) => {
            run(&mut server);
            Ok(Completion::Completed)
        }
        Err(missing) => Ok(Completion::ignored_with(missing)),
    })
}

/// The example with this Redis and this number of workers.
fn counting_in(server: &RedisServer, workers: &str) -> Service {
    start("redis-counter", &["--redis", &server.url(), "--workers", workers])
}

fn every_request_is_counted_in_every_way(server: &mut RedisServer) {
    let service = counting_in(server, "3");
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

fn a_redis_of_its_own_ends_with_it(_: &mut RedisServer) {
    // A folder of its own, to see the files that are left there.
    let place = std::env::temp_dir().join(format!("redis-counter-{}", std::process::id()));
    fs::create_dir(&place).expect("there is room");
    let place = Folder(place);
    let left = || {
        let entries = fs::read_dir(&place.0).expect("it exists").flatten();
        entries.filter(|it| it.file_name().to_string_lossy().contains("redis")).count()
    };
    for signal in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM] {
        let mut command = SUITE.command("redis-counter", &["--workers", "2"]);
        command.env_remove("REDIS_URL").env("TMPDIR", &place.0);
        let service = Service::launch(command).and_then(Service::until_ready);
        let mut service = service.expect("it starts beside the files of the one before");
        assert_eq!(left(), 1, "the files of the one before are gone");
        let said = service.prints("started a Redis for itself").expect("it says so");
        let redis = said.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid");
        assert!(!proc::gone(redis) && service.workers().expect("/proc is there").len() == 2);
        assert_eq!(number(&service.get("/increment").expect("answered"), "redis"), 1);
        service.end(signal).expect("it ends");
        wait_for("its Redis to end", || proc::gone(redis).then_some(())).expect("it ends, too");
        let expected = usize::from(signal == Signal::SIGKILL); // there was no time to tidy up
        assert_eq!(left(), expected, "{signal}");
    }
}

fn a_redis_of_its_own_that_is_killed_is_reaped_and_replaced(_: &mut RedisServer) {
    let mut command = SUITE.command("redis-counter", &["--workers", "2"]);
    command.env_remove("REDIS_URL");
    let service = Service::launch(command).and_then(Service::until_ready).expect("it starts");
    let pid = |said: String| said.rsplit(' ').next().and_then(|pid| pid.parse().ok());
    let first = pid(service.prints("started a Redis for itself").expect("it says so"));
    let first = first.expect("a pid");
    service.get_at_once(16, "/increment").expect("each is answered");
    service.signal(first, Signal::SIGKILL).expect("it runs");
    wait_for("all workers to count in the next one", || {
        let answers = service.get_at_once(16, "/increment?in=redis").expect("each is answered");
        let well = answers.iter().all(|answer| answer.status == 200);
        (well && proc::state(first).is_none()).then_some(()) // not even a zombie
    })
    .expect("it is started");
    let next = pid(service.prints("its Redis has ended").expect("it says so")).expect("a pid");
    assert!(!proc::gone(next), "{next}");
}

fn a_redis_that_is_killed_costs_no_worker_and_is_found_again(server: &mut RedisServer) {
    let mut service = counting_in(server, "2");
    let workers = service.workers().expect("/proc is there");
    service.get_at_once(16, "/increment").expect("none is lost");
    server.kill().expect("it is ours");
    for answer in service.get_at_once(16, "/increment").expect("each is answered") {
        assert_eq!(answer.status, 503, "{}", answer.body);
    }
    service.prints_times("Redis is lost", 2).expect("each worker notices");
    for answer in service.get_at_once(16, "/increment?in=memory").expect("each is answered") {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(service.workers().expect("/proc is there"), workers, "no worker died of it");

    // A worker that is started now lives, too.
    service.signal(workers[0], Signal::SIGKILL).expect("it runs");
    let newcomer = service.replaced(workers[0], 2).expect("it is replaced");
    service.all_answer(&[newcomer]).expect("it serves");

    server.restart().expect("it starts");
    wait_for("all to be well", || {
        let answers = service.get_at_once(16, "/increment?in=redis").expect("each is answered");
        answers.iter().all(|answer| answer.status == 200).then_some(())
    })
    .expect("they reconnect");
    service.prints(&format!("{} worker: Redis is back", workers[1])).expect("it says so");
}

fn a_redis_that_hangs_is_waited_for_once(server: &mut RedisServer) {
    let service = counting_in(server, "1");
    assert_eq!(service.get("/increment").expect("answered").status, 200);
    service.signal(server.pid(), Signal::SIGSTOP).expect("it runs");
    let first = service.get("/increment").expect("answered, in the end");
    assert_eq!(first.status, 503);
    let second = service.get("/increment").expect("answered");
    assert!(second.body.contains("try again later"), "this one did not wait: {}", second.body);
    service.signal(server.pid(), Signal::SIGCONT).expect("it exists");
    service.prints("Redis is back").expect("it is");
    assert_eq!(service.get("/increment").expect("answered").status, 200);
}

/// A folder that is removed at the end, even if the test fails.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
