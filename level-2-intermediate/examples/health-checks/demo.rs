//! The lesson, played by a client that hangs a worker, blocks one, makes one grow, freezes one, and
//! suspends a whole cluster. Its clock is the stats line: "for eight lines" is a fact, not a time.

use std::net::SocketAddr;

use lab::{Result, Service, Table, proc, wait_for};
use nix::sys::signal::Signal;

use crate::readings::{after_pid, has_line, lag_of, more_lines, pid_of, slot_of};

/// Two stats lines in each period of a report, whatever the environment of the demo sets.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("LOG_CLUSTER_STATS", "250ms"),
    ("LOG_FORMAT", "text"),
    ("RUST_LOG", "info"),
    ("CLUSTER_API_PORT", "0"),
];

/// A number of lines that take four periods; after two and a half a silent worker counts as hung.
const LONG: usize = 8;

pub fn play() -> Result<()> {
    lab::no_cores()?; // workers abort here
    let mut table = Table::default();
    let mut service = start(&[])?;
    idle(&mut table, &mut service)?;
    too_large(&mut table, &mut service)?;
    looping(&mut table, &mut service)?;
    blocked(&mut table, &mut service)?;
    asleep_and_frozen(&mut table, &mut service)?;
    service.end(Signal::SIGTERM)?;
    wrong_versions(&mut table)?;
    table.finish()
}

fn start(args: &[&str]) -> Result<Service> {
    Service::start_with(&ENVIRONMENT, args)
}

fn idle(table: &mut Table, service: &mut Service) -> Result<()> {
    let before = service.workers()?;
    let lines = more_lines(service, LONG);
    let after = service.workers()?;
    let seen = format!("{before:?}, then {after:?}");
    let held = before == after && !has_line(service, "was killed by");
    table.claim("an idle worker is left alone", seen, held);
    table.claim_ok("the stats line comes regularly", &lines, |()| format!("{LONG} more of them"));
    Ok(())
}

fn too_large(table: &mut Table, service: &mut Service) -> Result<()> {
    let before = service.workers()?;
    let growing = service.get_later("/grow?mib=80&ms=2000");
    let victim = pid_of(&service.prints("grows by 80 MiB")?)?;
    let found = service.prints(&format!("worker {victim} leaves: it is over its memory limit"));
    let flying = !growing.is_finished();
    let answer = growing.join().expect("a client does not panic").and_then(|it| it.worker());
    let held = found.is_ok() && flying && answer.as_ref().is_ok_and(|pid| *pid == victim);
    let seen = answer.map_or_else(|error| error.to_string(), |pid| format!("{pid} answered"));
    table.claim("a large worker leaves, its request is answered", seen, held);
    let end = service.prints(&format!("worker {victim} exited with code 0"));
    table.claim_ok("and ends by itself", &end, |line| after_pid(line));
    let after = service.workers()?;
    let others = before.iter().filter(|pid| **pid != victim).all(|pid| after.contains(pid));
    let held = others && after.len() == before.len();
    table.claim("only that one is replaced", format!("{before:?}, then {after:?}"), held);
    Ok(())
}

fn looping(table: &mut Table, service: &mut Service) -> Result<()> {
    let before = service.workers()?;
    let victim = loop_one(service)?;
    let found = service.prints(&format!("worker {victim} is unhealthy"));
    table.claim_ok("a looping worker is unhealthy", &found, |line| after_pid(line));
    let end = service.prints(&format!("worker {victim} was killed by SIGABRT"));
    table.claim_ok("it ends by SIGABRT", &end, |line| after_pid(line));
    let (Ok(_), Ok(_)) = (found, end) else { return Ok(()) }; // it has no successor
    let successor = service.replaced(victim, before.len())?;
    let answered = service.all_answer(&[successor]);
    table.claim_ok("a successor answers", &answered, |_| format!("worker {successor}"));
    let after = service.workers()?;
    let others = before.iter().filter(|pid| **pid != victim).all(|pid| after.contains(pid));
    table.claim("the others are left alone", format!("{before:?}, then {after:?}"), others);
    Ok(())
}

fn blocked(table: &mut Table, service: &mut Service) -> Result<()> {
    let address = service.prints("admin API on http://")?;
    let address: SocketAddr = address.rsplit('/').next().unwrap_or_default().parse()?;
    let mut client = service.connect()?;
    let victim = client.get("/")?.worker()?;
    let slot = slot_of(victim, service)?;
    // The lag is a sample: the delay of the last report. So the worker is blocked until a report falls
    // into such a pause: for a different time each time, or the two could stay in step; and so briefly
    // that even two blocks in a row, before the report gets its turn, are too short for a kill.
    let mut times = (200..350).step_by(37).cycle();
    let lag = wait_for("a lag of 100 ms in /metrics", || {
        let blocked = client.get(&format!("/block?ms={}", times.next()?));
        let lag = blocked.and_then(|_| lag_of(&slot, address)); // a failure is not retried
        lag.map(|lag| (lag >= 100).then_some(lag)).transpose()
    });
    let lag = lag.and_then(|lag| lag);
    table.claim_ok("a worker that blocks briefly shows its lag", &lag, |lag| format!("{lag} ms"));
    let missed = has_line(service, &format!("worker {victim} is unhealthy"));
    let same = client.get("/")?.worker()? == victim && !missed;
    table.claim("and is left alone", format!("worker {victim}"), same);
    Ok(())
}

/// One cluster sleeps, primary and all, for as long as another takes to find a frozen worker.
fn asleep_and_frozen(table: &mut Table, sleeper: &mut Service) -> Result<()> {
    let workers = sleeper.workers()?;
    let all: Vec<i32> = [vec![sleeper.primary()], workers.clone()].concat();
    for pid in &all {
        sleeper.signal(*pid, Signal::SIGSTOP)?;
        wait_for("it to stop", || (proc::state(*pid) == Some('T')).then_some(()))?;
    }
    let mut awake = start(&[])?;
    let frozen = awake.workers()?[0];
    awake.signal(frozen, Signal::SIGSTOP)?;
    let end = awake.prints(&format!("worker {frozen} was killed by SIGKILL"));
    table.claim_ok("a worker that cannot abort gets SIGKILL", &end, |line| after_pid(line));
    for pid in &all {
        sleeper.signal(*pid, Signal::SIGCONT)?; // the primary first: all others look silent to it
    }
    more_lines(sleeper, LONG)?;
    let now = sleeper.workers()?;
    let seen = format!("{workers:?}, then {now:?}");
    table.claim("a cluster that slept kills no worker", seen, now == workers);
    Ok(())
}

fn wrong_versions(table: &mut Table) -> Result<()> {
    let judged = start(&["--wrong", "judge-by-requests"])?;
    let elsewhere = start(&["--wrong", "heart-elsewhere"])?;
    let victim = loop_one(&elsewhere)?;
    let killing = start(&["--wrong", "kill-at-the-limit"])?;
    let lost = killing.get_later("/grow?mib=80&ms=2000").join().expect("a client does not panic");
    let lost = usize::from(lost.is_err());
    table.note("wrong: killed at the limit", format!("{lost} of 1 requests lost"));
    more_lines(&elsewhere, LONG)?;
    let spared = !proc::gone(victim) && !has_line(&elsewhere, "is unhealthy");
    let seen = if spared { "counts as healthy" } else { "was found this time" };
    let seen = format!("worker {victim}, looping, {seen} for {LONG} stats lines");
    table.note("wrong: another thread reports", seen);
    let dead = judged.prints_times("has answered nothing: SIGKILL", 2);
    let seen = dead.map_or("none this time", |()| "2 idle workers killed");
    table.note("wrong: judged by requests", seen);
    Ok(())
}

/// Makes one worker loop, and returns its pid.
fn loop_one(service: &Service) -> Result<i32> {
    drop(service.get_later("/loop")); // no answer will come
    pid_of(&service.prints("begins an infinite loop")?)
}
