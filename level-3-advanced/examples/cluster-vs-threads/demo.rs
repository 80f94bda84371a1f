//! The lesson: counts and orders. Times are for `--measure`.

use std::collections::BTreeSet;
use std::thread;

use clap::ValueEnum;
use lab::load::{Habit, Load, Question};
use lab::{Answer, Client, Result, Table};
use nix::sys::signal::Signal;

use crate::architectures::both::POOL;
use crate::{Architecture, harm};

/// Workers of every service here: threads, or processes.
pub const WORKERS: usize = 2;

/// Heavy requests that arrive at the same time.
const HEAVY: usize = 6;

/// Requests that count, in all.
const COUNTED: usize = 200;

/// A row of the table: the claim, what was seen, and whether it held.
pub struct Row {
    pub claim: String,
    pub seen: String,
    pub held: bool,
}

impl Row {
    pub fn about(architecture: Architecture, claim: &str, seen: String, held: bool) -> Self {
        Self { claim: format!("{}: {claim}", architecture.name()), seen, held }
    }
}

/// A part of the lesson, played with one architecture.
type Topic = fn(Architecture) -> Result<Row>;

pub fn play() -> Result<()> {
    let mut table = Table::default();
    for topic in [harm::crash, harm::panic, harm::leak] {
        rows(&mut table, at_once(topic));
    }
    rows(&mut table, one_by_one(heavy)); // at once, they would compute against each other
    for topic in [count, reload] {
        rows(&mut table, at_once(topic));
    }
    rows(&mut table, vec![bound()]);
    table.finish()
}

/// Prints rows; a row that could not be played is broken.
fn rows(table: &mut Table, rows: Vec<Result<Row>>) {
    for row in rows {
        match row {
            Ok(row) => table.claim(row.claim, row.seen, row.held),
            Err(error) => table.claim("the lesson can be played", error.to_string(), false),
        }
    }
}

/// Plays a topic with all architectures at the same time: most of it is waiting.
fn at_once(topic: Topic) -> Vec<Result<Row>> {
    thread::scope(|scope| {
        let start = |architecture: &Architecture| {
            let architecture = *architecture;
            scope.spawn(move || topic(architecture))
        };
        let all: Vec<_> = Architecture::value_variants().iter().map(start).collect();
        let end = |row: thread::ScopedJoinHandle<Result<Row>>| row.join().expect("it has no panic");
        all.into_iter().map(end).collect()
    })
}

fn one_by_one(topic: Topic) -> Vec<Result<Row>> {
    Architecture::value_variants().iter().map(|architecture| topic(*architecture)).collect()
}

/// A quick request while all workers compute.
fn heavy(architecture: Architecture) -> Result<Row> {
    let mut service = architecture.start()?;
    let pids = architecture.pids(&mut service)?;
    let mut clients = Vec::new();
    for _ in 0..HEAVY / pids.len() {
        clients.extend(service.connect_each(&pids)?.into_values());
    }
    let compute =
        |mut client: Client| thread::spawn(move || client.get("/compute?ms=250").map(drop));
    let requests: Vec<_> = clients.into_iter().map(compute).collect();
    for pid in &pids {
        service.prints(&format!("{pid} worker: begins a computation"))?;
    }
    if architecture == Architecture::MultiThread {
        service.prints_times("begins a computation", WORKERS)?; // on each thread
    }
    let quick = service.get("/")?;
    for request in requests {
        request.join().map_err(|_| "a client has panicked")??;
    }
    let before = number_after(&quick, "after ")?;
    let waits = architecture != Architecture::Both;
    let claim = if waits { "a quick request waits" } else { "a quick request does not wait" };
    let seen = format!("answered after {before} computations of its process");
    Ok(Row::about(architecture, claim, seen, (before > 0) == waits))
}

/// One number, counted by all workers.
fn count(architecture: Architecture) -> Result<Row> {
    let mut service = architecture.start()?;
    let mut numbers = BTreeSet::new();
    let mut sent = 0;
    for worker in service.workers()? {
        // Each worker counts at least once, however uneven the split is.
        let mut client = service.connect_each(&[worker])?.remove(&worker).ok_or("no connection")?;
        numbers.insert(number_after(&client.get("/count")?, "counts ")?);
        sent += 1;
    }
    for _ in 0..COUNTED / 8 {
        for answer in service.get_at_once(8, "/count")? {
            numbers.insert(number_after(&answer, "counts ")?);
            sent += 1;
        }
    }
    let exact = numbers.len() == sent && numbers.last() == Some(&sent);
    let where_to = if architecture.has_processes() { "shared memory" } else { "a static" };
    let seen = format!("{} different numbers for {sent} requests", numbers.len());
    Ok(Row::about(architecture, &format!("a count in {where_to} is exact"), seen, exact))
}

/// A new version: a rolling reload of processes, or a restart of the only process.
fn reload(architecture: Architecture) -> Result<Row> {
    let mut service = architecture.start()?;
    if architecture.has_processes() {
        let question = Question { path: "/", body: 0, wants: "worker" };
        let load = Load::start(&service.address().to_string(), question, &[(Habit::Fresh, 4)]);
        load.each_has(1)?;
        service.signal(service.primary(), Signal::SIGHUP)?;
        service.prints("reload to generation 2 is finished")?;
        load.each_has(2)?;
        let seen = load.finish();
        let (lost, answered) = (seen.losses.len(), seen.answers.len());
        Ok(Row::about(
            architecture,
            "a reload loses nothing",
            format!("{lost} lost of {}", lost + answered),
            lost == 0,
        ))
    } else {
        let address = service.address();
        service.end(Signal::SIGTERM)?;
        let refused = Client::connect(address).is_err();
        let seen =
            if refused { "a client is refused until it runs again" } else { "a client is served" };
        Ok(Row::about(architecture, "a restart has a gap", seen.into(), refused))
    }
}

/// Many heavy requests at the same time.
fn bound() -> Result<Row> {
    let service = Architecture::Both.start()?;
    let answers = service.get_at_once(2 * HEAVY, "/compute?ms=100")?;
    let most = answers
        .iter()
        .map(|answer| number_after(answer, "computed, "))
        .collect::<Result<Vec<_>>>()?;
    let most = most.into_iter().max().unwrap_or(0);
    let seen = format!("at most {most} of {} in a process", 2 * HEAVY);
    Ok(Row::about(Architecture::Both, "the pool is bounded", seen, most <= POOL))
}

/// The number that follows these words in an answer.
pub fn number_after(answer: &Answer, words: &str) -> Result<usize> {
    let rest = answer.body.split_once(words).map(|(_, rest)| rest).unwrap_or_default();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| format!("no number after {words:?} in {:?}", answer.body).into())
}
