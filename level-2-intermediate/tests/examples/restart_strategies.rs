//! The lesson of `restart-strategies`, from outside.

use lab::{Answer, Service, proc, wait_for};
use nix::sys::signal::Signal;

use crate::{SUITE, start};

const NAME: &str = "restart-strategies";

/// Starts it with these variables, and waits until it is ready.
fn start_with(variables: &[(&str, &str)], args: &[&str]) -> Service {
    SUITE.start_with(variables, NAME, args)
}

fn post(service: &Service, path: &str) -> Answer {
    service.connect().and_then(|mut client| client.post(path, "")).expect("answered")
}

fn status(service: &Service) -> String {
    service.get("/status").expect("answered").body
}

/// Two of three workers, and a slot that is errored because no worker can start.
fn errored() -> (Service, Vec<i32>) {
    let mut service = start_with(&[("WORKER_MIN_UPTIME", "1ms")], &["--workers", "3"]);
    post(&service, "/break");
    service.get("/crash?code=3").expect_err("a worker that crashes does not answer");
    service.prints("is errored after 5 early deaths").expect("the loop ends");
    let others = service.workers().expect("/proc is there");
    assert_eq!(others.len(), 2);
    (service, others)
}

#[test]
fn reload_fails_until_the_repair_then_fills_all_slots() {
    let (service, others) = errored();
    service.signal(service.primary(), Signal::SIGHUP).expect("it runs");
    service.prints("the reload failed: ").expect("no worker can start");
    assert!(others.iter().all(|pid| !proc::gone(*pid)), "that cost no worker");
    assert!(status(&service).starts_with("3 wanted, 2 ready, "), "{}", status(&service));
    // The slot gets another chance with the old version: its count starts again.
    service.prints_times("is errored after 5 early deaths", 2).expect("the loop ends again");

    post(&service, "/repair");
    service.signal(service.primary(), Signal::SIGHUP).expect("it runs");
    service.prints("the reload is finished").expect("all workers can start");
    assert!(status(&service).starts_with("3 wanted, 3 ready, 0 errored"), "{}", status(&service));
    let gone = || others.iter().all(|old| proc::gone(*old)).then_some(());
    wait_for("the others to be replaced, too", gone).expect("a reload is for all");
}

#[test]
fn slot_that_is_reset_too_soon_is_errored_again() {
    let (service, _) = errored();
    let slot = wait_for("its slot", || {
        let line = service.narration().into_iter().find(|line| line.contains("is errored"))?;
        line.split_once("slot ")?.1.chars().next()
    });
    let path = format!("/reset?slot={}", slot.expect("it was reported"));
    assert_eq!(post(&service, &path).status, 200);
    service.prints_times("is errored after 5 early deaths", 2).expect("nothing was repaired");
    post(&service, "/repair");
    assert_eq!(post(&service, &path).status, 200);
    assert_eq!(post(&service, &path).status, 409, "it is tried already, or serves");
    assert_eq!(post(&service, "/reset?slot=77").status, 409, "there is no such slot");
}

#[test]
fn errored_slot_is_tried_until_it_works_without_a_person() {
    let variables = [("WORKER_MIN_UPTIME", "1ms"), ("WORKER_RESTART_DELAY_MAX", "100ms")];
    let service = start_with(&variables, &["--workers", "2"]);
    post(&service, "/break?times=8");
    service.get("/crash?code=3").expect_err("a worker that crashes does not answer");
    service.prints("is errored after 5 early deaths; tried every 100 ms").expect("it is reported");
    service.prints("waits 100.000 ms after early death 8").expect("attempts go on");
    service.prints_times("is ready", 3).expect("the ninth attempt works");
    assert!(status(&service).starts_with("2 wanted, 2 ready, 0 errored"), "{}", status(&service));
    let reports = service.narration().iter().filter(|it| it.contains("is errored")).count();
    assert_eq!(reports, 1, "it is reported once");
}

#[test]
fn clients_are_refused_while_no_worker_will_be_ready_soon() {
    let mut service = start_with(&[("WORKER_MIN_UPTIME", "1ms")], &["--workers", "1"]);
    post(&service, "/break?times=5");
    service.get("/crash?code=3").expect_err("a worker that crashes does not answer");
    service.prints("no worker is ready: connections are refused").expect("the next try is far");
    let refused = service.get("/").expect_err("no worker is left").to_string();
    assert!(refused.contains("refused"), "{refused}");
    service.signal(service.primary(), Signal::SIGHUP).expect("it runs");
    service.prints("the reload is finished").expect("a reload does not wait for 30 s");
    assert_eq!(service.get("/").expect("answered").status, 200);
    assert!(service.end(Signal::SIGTERM).expect("it ends").success());
}

#[test]
fn setting_decides_which_death_is_early() {
    for (uptime, waits) in [("1ms", false), ("1h", true)] {
        let service = start_with(&[("WORKER_MIN_UPTIME", uptime)], &["--workers", "2"]);
        service.get("/crash?code=7").expect_err("a worker that crashes does not answer");
        service.prints("crashed: exited with code 7").expect("it is reported");
        service.prints_times("is started", 3).expect("it is replaced");
        let waited = service.narration().iter().any(|line| line.contains("after early death 1"));
        assert_eq!(waited, waits, "{uptime}: {:?}", service.narration());
    }
}

#[test]
fn each_strategy_keeps_its_bounds() {
    for (strategy, bounds) in [
        ("immediate", [1.0, 1.0, 1.0, 1.0]),
        ("fixed", [100.0, 100.0, 100.0, 100.0]),
        ("exponential", [100.0, 200.0, 400.0, 800.0]),
        ("breaker", [100.0, 200.0, 400.0, 800.0]),
    ] {
        let args = ["--workers", "1", "--strategy", strategy, "--crash-at-boot", "4"];
        let service = start(NAME, &args);
        let waits: Vec<f64> = service
            .narration()
            .iter()
            .filter_map(|line| line.split_once("waits ")?.1.split_once(" ms")?.0.parse().ok())
            .collect();
        assert_eq!(waits.len(), 4, "{strategy}: {:?}", service.narration());
        let fits = waits.iter().zip(bounds).all(|(wait, bound)| *wait <= bound);
        assert!(fits, "{strategy}: {waits:?}");
    }
}

#[test]
fn cluster_whose_workers_all_crash_can_be_stopped() {
    let mut service = SUITE.launch(NAME, &["--workers", "2", "--crash-at-boot", "1000"]);
    service.prints_times("is errored after 5 early deaths", 2).expect("both loops end");
    assert!(service.workers().expect("/proc is there").is_empty());
    assert!(service.ready_line().is_none(), "it never was");
    assert!(service.end(Signal::SIGTERM).expect("it ends").success());
}

#[test]
fn panic_of_the_primary_ends_everything_by_the_deadline() {
    for workers in ["1", "3"] {
        let deadline = [("GRACEFUL_SHUTDOWN_TIMEOUT", "300ms")];
        let mut service = start_with(&deadline, &["--workers", workers]);
        let pids = service.workers().expect("/proc is there");
        let stuck = service.get_later("/slow?ms=60000");
        service.prints("begins a request of 60000 ms").expect("it is worked on");
        assert_eq!(post(&service, "/panic-primary").status, 200);
        assert_eq!(service.ended().expect("it does not wait for a minute").code(), Some(1));
        stuck.join().expect("a client does not panic").expect_err("its answer never came");
        assert!(pids.into_iter().all(proc::gone), "no worker is left");
        let said = "error: code in the primary has panicked: a bug of the program, in the primary";
        service.prints(said).expect("the last line says why");
    }
}

#[test]
fn only_a_post_changes_anything() {
    let service = start(NAME, &["--workers", "1"]);
    for path in ["/break", "/repair", "/reset?slot=0", "/panic-primary"] {
        assert_eq!(service.get(path).expect("answered").status, 405, "{path}");
    }
    let answer = service.get("/nothing").expect("answered");
    assert!(answer.status == 404 && answer.body.contains("/crash?code=3"), "{answer:?}");
    assert!(status(&service).starts_with("1 wanted, 1 ready, 0 errored, 0 crashes"));
}
