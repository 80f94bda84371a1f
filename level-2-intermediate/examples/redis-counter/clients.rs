//! The clients of the demo: they never retry, and count their answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use lab::{Answer, Result, Service, wait_for};

pub const CLIENTS: usize = 16;
pub const REQUESTS: u64 = 10_000;

/// The number of requests that are counted in the wrong ways, too: enough to see the losses.
pub const ALL_WAYS: u64 = 2_000;

/// An answer that takes longer than this has waited for retries: all six take 6.3 s or more. Without
/// retries the limit is two seconds; the rest is for a busy machine.
pub const FAST: Duration = Duration::from_secs(5);

/// The result of one client.
#[derive(Default)]
pub struct Outcome {
    pub failed: usize,
    pub slowest: Duration,
    pub clean: bool,
}

/// Counts in Redis until twenty requests have failed, or one was slow or failed in another way.
pub fn until_it_fails(service: &Service, counted: &AtomicUsize) -> Outcome {
    let mut outcome = Outcome::default();
    let Ok(mut client) = service.connect() else { return outcome };
    while outcome.failed < 20 && outcome.slowest < FAST {
        let start = Instant::now();
        let answer = client.get("/increment?in=redis");
        outcome.slowest = outcome.slowest.max(start.elapsed());
        match answer.map(|answer| answer.status) {
            Ok(200) => _ = counted.fetch_add(1, Relaxed),
            Ok(503) => outcome.failed += 1,
            _ => return outcome,
        }
    }
    outcome.clean = true;
    outcome
}

/// Sends all requests, each once, from several clients at the same time.
pub fn increment(service: &Service) -> Result<()> {
    let redis = numbers(&service.get("/counter")?).contains_key("redis");
    let right = format!("/increment?in=process,memory{}", if redis { ",redis" } else { "" });
    let each = CLIENTS as u64;
    thread::scope(|scope| {
        let client = || -> Result<()> {
            let mut client = service.connect()?;
            for request in 0..REQUESTS / each {
                let all_ways = request < ALL_WAYS / each;
                let answer = client.get(if all_ways { "/increment" } else { &right })?;
                if answer.status != 200 {
                    return Err(
                        format!("/increment was not answered: {}", answer.body.trim()).into()
                    );
                }
            }
            Ok(())
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("no client panics"))
    })
}

/// The number in each worker's own variable, by pid.
pub fn parts(service: &mut Service) -> Result<BTreeMap<i32, u64>> {
    let workers = service.workers()?;
    let mut parts = BTreeMap::new();
    let mut ask = || -> Result<bool> {
        let answer = service.get("/counter?in=process")?;
        parts.insert(answer.worker()?, numbers(&answer).get("process").copied().unwrap_or(0));
        Ok(workers.iter().all(|worker| parts.contains_key(worker)))
    };
    wait_for("an answer of each worker", || match ask() {
        Ok(all) => all.then_some(Ok(())),
        Err(error) => Some(Err(error)),
    })??;
    Ok(parts)
}

/// The numbers in an answer, by way.
pub fn numbers(answer: &Answer) -> BTreeMap<String, u64> {
    let pairs = answer.body.lines().filter_map(|line| line.split_once(' '));
    pairs.filter_map(|(way, number)| Some((way.to_owned(), number.trim().parse().ok()?))).collect()
}
