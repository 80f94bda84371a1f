//! The accidents of the demo: a crash, a panic, and a leak. Which requests are lost, and which survive?

use std::thread;

use lab::{Client, Result, Service, proc};

use crate::Architecture;
use crate::demo::{Row, WORKERS};

/// Requests in progress for each worker.
const EACH: usize = 4;

/// A leak that is well above the limit of a worker's memory.
const LEAK: &str = "/leak?mib=128";

/// The outcome of an accident for the requests in progress.
struct Outcome {
    /// Lost requests of the worker that had the accident.
    own: usize,
    /// Lost requests of the other workers.
    others: usize,
}

/// A worker aborts while requests are in progress.
pub fn crash(architecture: Architecture) -> Result<Row> {
    let mut service = architecture.start()?;
    let outcome = accident(architecture, &mut service, "/crash")?;
    let (own, others) = (outcome.own, outcome.others);
    if architecture.has_processes() {
        service.prints_times("is ready", WORKERS + 1)?; // the successor
        let seen = format!("{own} of {} lost; {others} of the other worker's", WORKERS * EACH);
        let held = own == EACH && others == 0 && service.get("/").is_ok();
        Ok(Row::about(architecture, "a crash costs one worker's requests", seen, held))
    } else {
        service.ended()?;
        let gone = service.connect().is_err();
        let next = if gone { "refused" } else { "served" };
        let seen = format!("{own} of {} lost, and the next client is {next}", WORKERS * EACH);
        Ok(Row::about(
            architecture,
            "a crash ends the service",
            seen,
            own == WORKERS * EACH && gone,
        ))
    }
}

/// A handler panics while requests are in progress.
pub fn panic(architecture: Architecture) -> Result<Row> {
    let mut service = architecture.start()?;
    let outcome = accident(architecture, &mut service, "/panic")?;
    let lost = outcome.own + outcome.others;
    let seen = format!("1 lost, {lost} of {} others", WORKERS * EACH);
    let held = lost == 0 && service.get("/").is_ok();
    Ok(Row::about(architecture, "a panic costs its own request", seen, held))
}

/// A worker leaks memory.
pub fn leak(architecture: Architecture) -> Result<Row> {
    let mut service = architecture.start()?;
    let before = architecture.pids(&mut service)?;
    let leaky = service.get(LEAK)?.worker()?;
    if architecture.has_processes() {
        service.replaced(leaky, WORKERS)?;
        let other = before.iter().find(|pid| **pid != leaky).ok_or("only one worker")?;
        let gone = proc::gone(*other);
        let seen = format!("replaced; the other is {}", if gone { "gone" } else { "untouched" });
        Ok(Row::about(architecture, "a leaking worker is replaced", seen, !gone))
    } else {
        let mib = proc::rss(leaky)? >> 20;
        let seen = format!("{mib} MiB, until a restart");
        Ok(Row::about(architecture, "a leak stays", seen, mib >= 128))
    }
}

/// Starts slow requests on each worker, then has one worker do `path`, and counts the requests that are
/// lost.
fn accident(architecture: Architecture, service: &mut Service, path: &str) -> Result<Outcome> {
    let pids = architecture.pids(service)?;
    let mut clients: Vec<(i32, Client)> = Vec::new();
    for _ in 0..EACH * WORKERS / pids.len() {
        clients.extend(service.connect_each(&pids)?);
    }
    let (victim, mut last) = service.connect_each(&pids)?.into_iter().next().ok_or("no worker")?;
    let slow = |(pid, mut client): (i32, Client)| {
        thread::spawn(move || (pid, client.get("/slow?ms=2000").is_ok()))
    };
    let requests: Vec<_> = clients.into_iter().map(slow).collect();
    service.prints_times("begins a request", EACH * WORKERS)?;
    let answer = last.get(path);
    if answer.is_ok_and(|answer| answer.status < 500) {
        return Err(format!("{path} was answered").into());
    }
    let mut outcome = Outcome { own: 0, others: 0 };
    for request in requests {
        let (pid, answered) = request.join().map_err(|_| "a client has panicked")?;
        match (answered, pid == victim) {
            (true, _) => {}
            (false, true) => outcome.own += 1,
            (false, false) => outcome.others += 1,
        }
    }
    Ok(outcome)
}
