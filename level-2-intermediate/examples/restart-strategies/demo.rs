//! The lesson, played by a client that makes workers crash, and reads the timeline.

use lab::{Result, Service, Table, ms, proc, wait_for};
use nix::sys::signal::Signal;

use crate::chronicle::{Moment, herd, moments, since, waits};
use crate::crash_loop::{begin_loop, crash_loop, starts};

/// Three workers, and a minimum uptime that each ready worker reaches: the demo need not wait a second.
pub const THREE: [&str; 4] = ["--workers", "3", "--strategy", "breaker"];
pub const AT_ONCE: [(&str, &str); 1] = [("WORKER_MIN_UPTIME", "1ms")];

pub fn play() -> Result<()> {
    lab::no_cores()?; // one worker aborts here
    let mut table = Table::default();
    one_death_each(&mut table)?;
    crash_loop(&mut table)?;
    primary_panics(&mut table)?;

    let together = crash_together(&[])?;
    let seen = format!("at most {together} of 8 for the same, to the millisecond");
    table.claim("those that died together wait different times", seen, together <= 4);
    strategies(&mut table)?;
    wrong_versions(&mut table)?;
    table.finish()
}

/// Shows the waits of each strategy after four early deaths.
fn strategies(table: &mut Table) -> Result<()> {
    for strategy in ["immediate", "fixed", "exponential"] {
        let args = ["--workers", "1", "--strategy", strategy, "--crash-at-boot", "4"];
        let service = Service::start(&args)?;
        let waited: Vec<String> =
            waits(&service, "").iter().map(|wait| format!("{:.0}", wait.ms)).collect();
        table.note(format!("{strategy}: four early deaths, waits"), waited.join(" + ") + " ms");
    }
    Ok(())
}

/// Ends ready workers in every possible way.
fn one_death_each(table: &mut Table) -> Result<()> {
    let mut service = Service::start_with(&AT_ONCE, &THREE)?;
    let workers = service.workers()?;
    let status = service.get("/panic")?.status;
    let alive = workers.iter().filter(|pid| !proc::gone(**pid)).count();
    let seen = format!("{status}, {alive} of 3 still run");
    table.claim("a panic in a request costs that request", seen, status == 500 && alive == 3);

    for (claim, path, end) in [
        ("a crash is followed by a start at once", "/crash?code=3", "crashed: exited with code 3"),
        (
            "an unexpected exit with code 0 is a crash",
            "/crash?code=0",
            "crashed: exited with code 0",
        ),
        ("an abort is a crash by signal", "/abort", "crashed: was killed by SIGABRT"),
        ("a panic of the worker is code 101", "/panic-worker", "crashed: exited with code 101"),
    ] {
        let _ = service.get(path); // a worker that crashes does not answer
        let both = wait_for(end, || what_follows(&service, end));
        let tell = |(first, next): &(Moment, Moment)| format!("{}; {}", first.what, next.what);
        let seen = both.as_ref().map_or_else(ToString::to_string, tell);
        table.claim(claim, seen, both.is_ok_and(|(_, next)| next.what == "is started"));
    }
    leave(table, &service)?;
    let status = one_less(&service)?;
    table.claim(
        "a worker that was stopped is not replaced",
        &status,
        status.starts_with("2 wanted"),
    );
    Ok(())
}

/// Sends SIGTERM to a worker from outside, not from its primary.
fn leave(table: &mut Table, service: &Service) -> Result<()> {
    service.get("/leave")?;
    let gone = || moments(service).into_iter().find(|moment| moment.what.starts_with("left: "));
    let all = since(service, wait_for("it to leave", gone)?.slot, "");
    let last: Vec<&str> = all[all.len() - 4..].iter().map(|moment| moment.what.as_str()).collect();
    let held = matches!(last[..], ["is started", "is ready", why, _] if why.contains("SIGTERM"));
    table.claim("SIGTERM to a worker: first it is replaced", last.join("; "), held);
    Ok(())
}

/// The moment that begins with `end`, and the next one of its slot.
pub fn what_follows(service: &Service, end: &str) -> Option<(Moment, Moment)> {
    let first = moments(service).into_iter().find(|moment| moment.what.starts_with(end))?;
    let mut after = since(service, first.slot, end).into_iter().skip(1);
    let next = after.find(|moment| {
        ["is started", "waits", "is errored"].iter().any(|it| moment.what.starts_with(it))
    })?;
    Some((first, next))
}

/// Stops one worker; returns the status after it has gone.
fn one_less(service: &Service) -> Result<String> {
    let before = moments(service).len();
    service.signal(service.primary(), Signal::SIGTTOU)?;
    wait_for("one to leave", || {
        let mut news = moments(service).into_iter().skip(before);
        news.find(|moment| moment.what.starts_with("left: "))
    })?;
    Ok(service.get("/status")?.body.trim().to_owned())
}

/// Lets eight slots die at the same time, three times; returns how many then wait for the same time.
fn crash_together(args: &[&str]) -> Result<usize> {
    let eight = ["--workers", "8", "--strategy", "breaker", "--crash-at-boot", "3"];
    let service = Service::start(&[&eight[..], args].concat())?;
    Ok(herd(&waits(&service, "")))
}

fn primary_panics(table: &mut Table) -> Result<()> {
    let mut service = Service::start(&THREE)?;
    let workers = service.workers()?;
    let slow = service.get_later("/slow?ms=1000");
    service.prints("begins a request of 1000 ms")?;
    service.connect()?.post("/panic-primary", "")?;
    let status = service.ended()?;
    let answer = slow.join().expect("a client does not panic");
    let seen = answer.as_ref().map_or_else(ToString::to_string, |it| it.body.trim().to_owned());
    table.claim(
        "primary panics: requests in flight are answered",
        seen,
        answer.is_ok_and(|it| it.status == 200),
    );
    let left = workers.iter().filter(|pid| !proc::gone(**pid)).count();
    let seen = format!("{left} left, primary: {status}");
    table.claim(
        "then no worker is left, the exit code is not 0",
        seen,
        left == 0 && !status.success(),
    );
    Ok(())
}

fn wrong_versions(table: &mut Table) -> Result<()> {
    let wrong = Service::start_with(&AT_ONCE, &[&THREE[..], &["--wrong", "fork-bomb"]].concat())?;
    let (slot, asked) = begin_loop(&wrong)?;
    wait_for("30 starts", || (starts(&wrong, slot) >= 30).then_some(()))?;
    let seen = format!("30 starts in {}, and no end", ms(asked.elapsed()));
    table.note("wrong: restart at once, forever", seen);
    let same = crash_together(&["--wrong", "no-jitter"])?;
    table.note("wrong: no dice; they wait for the same time", format!("{same} of 8"));
    let wrong = Service::start(&[&THREE[..], &["--wrong", "restart-all"]].concat())?;
    table.note("wrong: replace every exit; one was stopped", one_less(&wrong)?);
    Ok(())
}
