//! The lesson, played by a client that has requests in flight when the stop begins.

use std::thread::JoinHandle;
use std::time::Instant;

use lab::{Answer, Result, Service, Table, ms, wait_for};
use nix::sys::signal::Signal;

/// The number of requests in flight when a stop begins, and the request, which takes 2 s.
const FLIGHT: usize = 4;
const SLOW: &str = "/slow?ms=2000";

type Flight = Vec<JoinHandle<Result<Answer>>>;

pub fn play() -> Result<()> {
    let mut table = Table::default();
    by_signal(&mut table)?;
    by_message(&mut table)?;
    one_worker(&mut table)?;
    by_the_deadline(&mut table)?;

    let mut wrong = Service::start(&["--wrong", "exit-at-once"])?;
    let flight = take_off(&wrong)?;
    wrong.signal(wrong.primary(), Signal::SIGTERM)?;
    let (answered, _) = land(flight);
    table.note("wrong: exit at once", format!("{} of {FLIGHT} lost", FLIGHT - answered));
    wrong.ended()?;
    table.finish()
}

fn by_signal(table: &mut Table) -> Result<()> {
    let mut service = Service::start(&[])?;
    let workers = service.workers()?;
    let mut idle = service.connect()?;
    idle.get("/")?; // and the connection stays open
    let flight = take_off(&service)?;

    service.signal(service.primary(), Signal::SIGTERM)?;
    let refused = wait_for("a refusal", || service.connect().err());
    let flying = flight.iter().filter(|request| !request.is_finished()).count();
    let seen = format!("{flying} of {FLIGHT} still in flight");
    table.claim("TERM: new connections are refused", seen, refused.is_ok() && flying == FLIGHT);
    let closed = idle.closed();
    let flying = flight.iter().filter(|request| !request.is_finished()).count();
    let seen = format!("{}, {flying} pending", if closed.is_ok() { "closed" } else { "open" });
    table.claim("an idle connection is closed at once", seen, closed.is_ok() && flying == FLIGHT);

    let (answered, closing) = land(flight);
    let last = Instant::now();
    let seen = format!("{answered} of {FLIGHT}, {closing} with Connection: close");
    table.claim("requests in flight are answered", seen, answered == FLIGHT && closing == FLIGHT);
    let status = service.ended()?;
    table.note("from the last answer to the end", ms(last.elapsed()));
    let orderly = exits(&service, "exited with code 0");
    let seen = format!("{orderly} of {} workers with code 0, primary: {status}", workers.len());
    table.claim("no worker is killed", seen, orderly == workers.len() && status.success());
    Ok(())
}

fn by_message(table: &mut Table) -> Result<()> {
    let mut service = Service::start(&[])?;
    let flight = take_off(&service)?;
    let accepted = service.connect()?.post("/shutdown", "")?.status;
    let (answered, _) = land(flight);
    let status = service.ended()?;
    let seen = format!("{accepted}, then {answered} of {FLIGHT} answered, primary: {status}");
    table.claim("the same by message", seen, answered == FLIGHT && status.success());
    Ok(())
}

fn one_worker(table: &mut Table) -> Result<()> {
    let mut service = Service::start(&[])?;
    let workers = service.workers()?;
    let flight = take_off(&service)?;
    for worker in &workers {
        service.signal(*worker, Signal::SIGTERM)?;
    }
    for worker in &workers {
        service.prints(&format!("worker {worker} accepts no more"))?;
    }
    let now = service.get("/")?.worker()?; // a new worker's, which was ready before
    let (answered, _) = land(flight);
    let seen = format!("{answered} of {FLIGHT} answered, then worker {now}");
    let held = answered == FLIGHT && !workers.contains(&now);
    table.claim("TERM to each worker: all finish, others follow", seen, held);
    service.end(Signal::SIGTERM)?;
    Ok(())
}

fn by_the_deadline(table: &mut Table) -> Result<()> {
    let mut service = Service::start(&[])?;
    let stuck = service.get_later("/slow?ms=60000");
    service.prints("begins a request of 60000 ms")?;
    let asked = Instant::now();
    service.signal(service.primary(), Signal::SIGTERM)?;
    let status = service.ended()?;
    let cut = stuck.join().expect("a client does not panic").is_err();
    let end = if cut { "cut off" } else { "answered" };
    let seen = format!("{end} after {}, primary: {status}", ms(asked.elapsed()));
    table.claim("a request of a minute does not hold the end", seen, cut && status.success());
    Ok(())
}

/// Sends the requests, and returns when all of them are being worked on.
fn take_off(service: &Service) -> Result<Flight> {
    let flight = (0..FLIGHT).map(|_| service.get_later(SLOW)).collect();
    service.prints_times("begins a request of 2000 ms", FLIGHT)?;
    Ok(flight)
}

/// Waits for all of them: returns the number of answers, and of those that are marked as the last.
fn land(flight: Flight) -> (usize, usize) {
    let answers = flight.into_iter().filter_map(|request| request.join().ok()?.ok());
    let good: Vec<Answer> = answers.filter(|answer| answer.status == 200).collect();
    (good.len(), good.iter().filter(|answer| answer.closes).count())
}

/// The number of workers that ended like this, in the primary's lines, not in the library's log.
fn exits(service: &Service, how: &str) -> usize {
    let lines = service.narration();
    lines.iter().filter(|line| line.contains("primary: worker") && line.contains(how)).count()
}
