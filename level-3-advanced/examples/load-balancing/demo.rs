//! The lesson: counts and orders. Times are for `--measure`.

use std::collections::BTreeMap;
use std::thread;

use clap::ValueEnum;
use lab::{Answer, Client, Result, Service, Table};
use level_3::fairness::jain;
use nix::sys::signal::Signal;

use crate::waiters::{self, Call};

/// Workers of every service here.
const WORKERS: usize = 4;

/// Connections for each worker, if the split is even.
const SHARE: usize = 10;

/// Clients that send requests at the same time.
const CLIENTS: usize = 8;

pub fn play() -> Result<()> {
    let mut table = Table::default();
    calls(&mut table)?;
    ways(&mut table)?;
    slow_worker(&mut table)?;
    dead_worker(&mut table)?;
    table.finish()
}

/// The kernel's choice, for four ways to wait on one socket.
fn calls(table: &mut Table) -> Result<()> {
    for call in Call::value_variants() {
        let outcome = waiters::play(*call)?;
        let (even, in_vain) = (jain(&outcome.served), outcome.in_vain);
        let seen = format!("{:?}, Jain {even:.3}, {in_vain} in vain", outcome.served);
        match call {
            Call::Accept => {
                let fair = outcome.served.iter().all(|share| *share == SHARE);
                table.claim("accept: first come, first served", seen, fair);
            }
            Call::Epoll => table.note("epoll: all wake, and one gets it", seen),
            Call::Exclusive => {
                let one = outcome.served.contains(&(WORKERS * SHARE));
                table.claim("EPOLLEXCLUSIVE: always the same one", seen, one);
            }
            Call::ExclusiveAgain => {
                let fair = outcome.served.iter().all(|share| *share == SHARE);
                table.claim("EPOLLEXCLUSIVE, added again: in turn", seen, fair);
            }
        }
    }
    Ok(())
}

/// Three ways to share the port, with one client after the other.
fn ways(table: &mut Table) -> Result<()> {
    for way in ["shared-listener", "reuse-port", "hand-off"] {
        let mut service = start(&["--share", way])?;
        let shares = one_after_the_other(&mut service)?;
        let seen = format!("{shares:?}, Jain {:.3}", jain(&shares));
        if way == "hand-off" {
            let even = shares.iter().all(|share| *share == SHARE);
            table.claim("hand-off, round robin: exactly even", seen, even);
        } else {
            table.note(format!("{way}, no strategy"), seen);
        }
    }
    Ok(())
}

/// A worker that is ten times slower: the number of requests that each strategy gives it.
fn slow_worker(table: &mut Table) -> Result<()> {
    for strategy in ["round-robin", "least-connections", "two-choices", "weighted"] {
        let mut service = start(&["--slow", "--strategy", strategy])?;
        let slow = service.workers()?[0];
        let answers = at_the_same_time(&service)?;
        let total = answers.len();
        let got = answers.iter().filter(|answer| answer.worker().ok() == Some(slow)).count();
        let seen = format!("the slow worker gets {got} of {total}");
        let fair = total / WORKERS;
        match strategy {
            "round-robin" => table.claim("round robin: as many as the others", seen, got == fair),
            "least-connections" => {
                table.claim("least connections: fewer than the others", seen, got < fair);
            }
            "two-choices" => table.claim("two choices: fewer than the others", seen, got < fair),
            _ => table.claim("weighted: fewer than the others", seen, got < fair),
        }
    }
    Ok(())
}

/// A worker is killed: its successor takes its turns.
fn dead_worker(table: &mut Table) -> Result<()> {
    let mut service = start(&[])?;
    for _ in 0..WORKERS {
        service.get("/")?;
    }
    let victim = service.workers()?[0];
    service.signal(victim, Signal::SIGKILL)?;
    service.prints_times("is ready", WORKERS + 1)?;
    service.replaced(victim, WORKERS)?;
    let shares = one_after_the_other(&mut service);
    let seen = shares.as_ref().map_or_else(ToString::to_string, |shares| format!("{shares:?}"));
    let even = shares.is_ok_and(|shares| shares.iter().all(|share| *share == SHARE));
    table.claim("after a death: its successor gets its turns", seen, even);
    Ok(())
}

fn start(args: &[&str]) -> Result<Service> {
    let workers = WORKERS.to_string();
    Service::start(&[args, &["--workers", &workers]].concat())
}

/// Requests one after the other, each on a fresh connection: the number that each worker answers, in
/// the order of their pids.
fn one_after_the_other(service: &mut Service) -> Result<Vec<usize>> {
    let mut shares: BTreeMap<i32, usize> =
        service.workers()?.into_iter().map(|pid| (pid, 0)).collect();
    for _ in 0..WORKERS * SHARE {
        *shares.entry(service.get("/")?.worker()?).or_default() += 1;
    }
    Ok(shares.into_values().collect())
}

/// Clients that send requests at the same time, each on fresh connections.
fn at_the_same_time(service: &Service) -> Result<Vec<Answer>> {
    let address = service.address();
    let client = move || -> Result<Vec<Answer>> {
        (0..2 * SHARE).map(|_| Client::connect(address)?.get("/work?ms=10")).collect()
    };
    let clients: Vec<_> = (0..CLIENTS).map(|_| thread::spawn(client)).collect();
    let mut answers = Vec::new();
    for client in clients {
        answers.extend(client.join().map_err(|_| "a client has panicked")??);
    }
    Ok(answers)
}
