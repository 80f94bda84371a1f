//! The lesson, played by a client that makes workers crash, and reads the timeline.

use std::time::{Duration, Instant};

use lab::{Result, Service, Table, ms, proc, wait_for};
use nix::sys::signal::Signal;

use crate::chronicle::{Moment, herd, moments, since, waits};
use crate::policy::{LIMIT, Strategy, delay};

/// Three workers, and who was ready once has not died early: so the demo needs no second of waiting.
const THREE: [&str; 4] = ["--workers", "3", "--strategy", "breaker"];
const AT_ONCE: [(&str, &str); 1] = [("WORKER_MIN_UPTIME", "1ms")];

pub fn play() -> Result<()> {
    let mut table = Table::default();
    one_death_each(&mut table)?;
    crash_loop(&mut table)?;
    primary_panics(&mut table)?;

    let seen = format!("at most {} of 8 within a millisecond", crash_together(&[])?);
    table.claim("who died together does not come back together", &seen, !seen.contains("8 of 8"));
    for strategy in ["immediate", "fixed", "exponential"] {
        let args = ["--workers", "1", "--strategy", strategy, "--crash-at-boot", "4"];
        let service = Service::start(&args)?;
        let waited: Vec<String> =
            waits(&service).iter().map(|wait| format!("{:.0}", wait.ms)).collect();
        table.note(format!("{strategy}: four early deaths, waits"), waited.join(" + ") + " ms");
    }
    wrong_versions(&mut table)?;
    table.finish()
}

/// Workers that were ready end in every way there is.
fn one_death_each(table: &mut Table) -> Result<()> {
    let mut service = Service::start_with(&AT_ONCE, &THREE)?;
    let workers = service.workers()?;
    let status = service.get("/panic")?.status;
    let same = service.workers()? == workers;
    let seen = format!("{status}, {} of 3 live on", if same { 3 } else { 2 });
    table.claim("a panic in a request costs that request", seen, status == 500 && same);

    for (claim, path, end) in [
        ("a crash is followed by a start at once", "/crash?code=3", "crashed: exited with code 3"),
        ("code 0, and nobody asked: a crash", "/crash?code=0", "crashed: exited with code 0"),
        ("an abort is a crash by signal", "/abort", "crashed: was killed by SIGABRT"),
        ("a panic of the worker is code 101", "/panic-worker", "crashed: exited with code 101"),
        ("who leaves by its own wish is replaced", "/leave", "leaves: by its own wish"),
    ] {
        let _ = service.get(path); // whoever crashes does not answer
        let told = wait_for(end, || what_follows(&service, end));
        let tell = |(first, next): &(Moment, Moment)| format!("{}; {}", first.what, next.what);
        let seen = told.as_ref().map_or_else(ToString::to_string, tell);
        table.claim(claim, seen, told.is_ok_and(|(_, next)| next.what == "is started"));
    }
    service.hears("left: exited with code 0")?;
    let status = one_less(&service)?;
    table.claim("who was told to go is not replaced", &status, status.starts_with("2 wanted"));
    Ok(())
}

/// The moment that begins with `end`, and what becomes of its slot.
fn what_follows(service: &Service, end: &str) -> Option<(Moment, Moment)> {
    let first = moments(service).into_iter().find(|moment| moment.what.starts_with(end))?;
    let mut after = since(service, first.slot, end).into_iter().skip(1);
    let next = after.find(|moment| {
        ["is started", "waits", "is given"].iter().any(|it| moment.what.starts_with(it))
    })?;
    Some((first, next))
}

/// Tells one worker to go; how many are wanted when it has gone.
fn one_less(service: &Service) -> Result<String> {
    let before = moments(service).len();
    service.signal(service.primary(), Signal::SIGTTOU)?;
    wait_for("one to leave", || {
        let mut news = moments(service).into_iter().skip(before);
        news.find(|moment| moment.what.starts_with("left: "))
    })?;
    Ok(service.get("/status")?.body.trim().to_owned())
}

/// From now on nobody can start; one crashes. Where, and when it was asked to.
fn begin_loop(service: &Service) -> Result<(u32, Instant)> {
    service.connect()?.post("/break", "")?;
    let asked = Instant::now();
    let _ = service.get("/crash?code=3");
    let first = wait_for("a crash", || what_follows(service, "crashed"))?.0;
    Ok((first.slot, asked))
}

fn starts(service: &Service, slot: u32) -> usize {
    since(service, slot, "crashed").iter().filter(|moment| moment.what == "is started").count()
}

fn crash_loop(table: &mut Table) -> Result<()> {
    let service = Service::start_with(&AT_ONCE, &THREE)?;
    let (slot, asked) = begin_loop(&service)?;
    let given_up = || !since(&service, slot, "is given up").is_empty();
    let limit = LIMIT as usize;
    wait_for("the end of the loop", || {
        (given_up() || starts(&service, slot) > 4 * limit).then_some(())
    })?;
    let (took, seen) = (asked.elapsed(), starts(&service, slot));
    print_loop(table, &since(&service, slot, "crashed"));
    let told = format!("{seen} starts, {}", if given_up() { "given up" } else { "and no end" });
    table.claim("a crash loop ends", told, given_up() && seen == limit);
    if !given_up() {
        return Ok(());
    }

    let waits = waits(&service);
    let rule = |wait: &crate::chronicle::Wait| delay(Strategy::Breaker, wait.failures, 1.0);
    let fits = |wait: &&crate::chronicle::Wait| {
        rule(wait).is_some_and(|most| wait.ms <= most.as_secs_f64() * 1e3)
    };
    let within = waits.iter().filter(fits).count();
    let seen = format!("{within} of {} waits", waits.len());
    table.claim("each wait is one that policy.rs allows", seen, within + 1 == limit);
    let sum = Duration::from_secs_f64(waits.iter().map(|wait| wait.ms).sum::<f64>() / 1e3);
    let seen = format!("{} of waits, {} in all", ms(sum), ms(took));
    table.claim("nobody starts before its wait is over", seen, took >= sum);

    let status = service.get("/status")?.body.trim().to_owned();
    table.claim("the others serve on", &status, status.contains("2 ready, 1 given up"));
    service.connect()?.post("/repair", "")?;
    service.connect()?.post(&format!("/reset?slot={slot}"), "")?;
    wait_for("a worker in that slot", || {
        since(&service, slot, "is given up").into_iter().find(|moment| moment.what == "is ready")
    })?;
    let status = service.get("/status")?.body.trim().to_owned();
    table.claim("repaired and reset, it is back", &status, status.contains("3 ready, 0 given up"));
    Ok(())
}

/// The loop, one row for each start.
fn print_loop(table: &mut Table, loop_: &[Moment]) {
    let Some(begin) = loop_.first() else { return };
    for life in loop_.split(|moment| moment.what == "is started").take(LIMIT as usize + 1) {
        let Some(first) = life.first() else { continue };
        let told: Vec<&str> = life.iter().map(|moment| moment.what.as_str()).collect();
        table.note(
            format!("  +{:.0} ms  slot {}", first.at - begin.at, first.slot),
            told.join("; "),
        );
    }
}

/// Eight slots die at the same time, three times: how many come back together.
fn crash_together(args: &[&str]) -> Result<usize> {
    let eight = ["--workers", "8", "--strategy", "breaker", "--crash-at-boot", "3"];
    let service = Service::start(&[&eight[..], args].concat())?;
    Ok(herd(&waits(&service)))
}

fn primary_panics(table: &mut Table) -> Result<()> {
    let mut service = Service::start(&THREE)?;
    let workers = service.workers()?;
    let slow = service.get_later("/slow?ms=1000");
    service.hears("begins a request of 1000 ms")?;
    service.connect()?.post("/panic-primary", "")?;
    let status = service.ended()?;
    let answer = slow.join().expect("a client does not panic");
    let seen = answer.as_ref().map_or_else(ToString::to_string, |it| it.body.trim().to_owned());
    table.claim("the primary panics: who is served is served", seen, answer.is_ok());
    let left = workers.iter().filter(|pid| !proc::gone(**pid)).count();
    let seen = format!("{left} left, primary: {status}");
    table.claim(
        "then nobody is left, and the exit code tells",
        seen,
        left == 0 && !status.success(),
    );
    Ok(())
}

fn wrong_versions(table: &mut Table) -> Result<()> {
    let wrong = Service::start_with(&AT_ONCE, &[&THREE[..], &["--wrong", "fork-bomb"]].concat())?;
    let (slot, asked) = begin_loop(&wrong)?;
    wait_for("50 starts", || (starts(&wrong, slot) >= 50).then_some(()))?;
    let seen = format!("50 starts in {}, and no end", ms(asked.elapsed()));
    table.note("wrong: start again at once, for ever", seen);
    let seen = format!("{} of 8 within a millisecond", crash_together(&["--wrong", "no-jitter"])?);
    table.note("wrong: all wait for the same time", seen);
    let wrong = Service::start(&[&THREE[..], &["--wrong", "restart-all"]].concat())?;
    table.note("wrong: replace whoever exits; one was told to go", one_less(&wrong)?);
    Ok(())
}
