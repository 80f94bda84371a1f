//! The lesson, played by a client that ends workers in several ways, three of them at once.

use lab::Result;
use lab::{Service, Table, proc, wait_for};
use nix::sys::signal::Signal;

/// Three of them die together, one dies alone, and one survives; a line about memory every second.
const FIVE: [&str; 4] = ["--workers", "5", "--every", "1"];

pub fn play() -> Result<()> {
    let mut table = Table::default();
    let mut service = Service::start(&FIVE)?;

    let dead = end_three_at_once(&mut service)?;
    let reported = service.prints_times("event exit", 3);
    let seen = format!("{} of 3", exits(&service).len());
    table.claim("three die at once, each exit is reported", seen, reported.is_ok());
    if reported.is_err() {
        return table.finish();
    }

    let cut = service.get("/exit?code=3").is_err(); // the answer died with the worker
    service.prints("exited with code 3")?;
    for (pid, end) in [(dead[0], "was killed by SIGKILL"), (dead[2], "exited with code 0")] {
        tell_story(&mut table, &service, pid, end);
    }
    let last = *exits(&service).last().ok_or("no exit was reported")?;
    tell_story(&mut table, &service, last, "exited with code 3");
    let zombies = proc::zombies(service.primary())?.len();
    table.claim("all of them are reaped", format!("{zombies} zombies"), cut && zombies == 0);
    let memory = service.prints("1 workers online");
    table.claim_ok("the periodic line counts those left", &memory, Clone::clone);

    let mut wrong = Service::start(&[&FIVE[..], &["--wrong", "one-wait-per-signal"]].concat())?;
    end_three_at_once(&mut wrong)?;
    wrong.prints("event exit")?;
    let lines = wrong.narration().iter().filter(|line| line.contains("workers online")).count();
    wrong.prints_times("workers online", lines + 1)?; // it has had time to report the others
    let zombies = proc::zombies(wrong.primary())?.len();
    let seen = format!("{} of 3 reported, {zombies} zombies", exits(&wrong).len());
    table.note("wrong: one wait for each SIGCHLD", seen);
    table.finish()
}

/// Kills three workers while the primary is suspended, so that their three SIGCHLD become one.
fn end_three_at_once(service: &mut Service) -> Result<Vec<i32>> {
    let dying = service.workers()?[..3].to_vec();
    service.signal(service.primary(), Signal::SIGSTOP)?;
    wait_for("the primary to stop", || {
        (proc::state(service.primary()) == Some('T')).then_some(())
    })?;
    for (pid, signal) in dying.iter().zip([Signal::SIGKILL, Signal::SIGKILL, Signal::SIGTERM]) {
        service.signal(*pid, signal)?;
    }
    wait_for("three zombies", || dying.iter().all(|pid| proc::gone(*pid)).then_some(()))?;
    service.signal(service.primary(), Signal::SIGCONT)?;
    Ok(dying)
}

/// Claims that this worker's events were logged, each once, in the order of a life.
fn tell_story(table: &mut Table, service: &Service, pid: i32, end: &str) {
    let mine = events(service).into_iter().filter(|(_, of, _)| *of == pid);
    let (names, ends): (Vec<String>, Vec<String>) = mine.map(|(name, _, end)| (name, end)).unzip();
    let held = names == ["fork", "online", "listening", "disconnect", "exit"];
    let last = ends.last().cloned().unwrap_or_default();
    table.claim(format!("a life: {end}"), names.join(" "), held && last == end);
}

fn exits(service: &Service) -> Vec<i32> {
    events(service).into_iter().filter(|(name, ..)| name == "exit").map(|(_, pid, _)| pid).collect()
}

/// All events so far: name, pid of the worker, and how it ended.
fn events(service: &Service) -> Vec<(String, i32, String)> {
    let parse = |line: String| {
        let (_, event) = line.split_once("event ")?;
        let (name, rest) = event.split_once(char::is_whitespace)?;
        let (_, worker) = rest.split_once("pid ")?;
        let (pid, end) = worker.split_once(": ").unwrap_or((worker, ""));
        Some((name.to_owned(), pid.parse().ok()?, end.to_owned()))
    };
    service.narration().into_iter().filter_map(parse).collect()
}
