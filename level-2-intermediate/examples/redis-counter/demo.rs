//! The lesson, played by sixteen clients that count at the same time, while first a worker and then
//! Redis is killed.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use lab::{RedisServer, Result, Service, Table, ms, wait_for};
use nix::sys::signal::Signal;

use crate::clients::{self, ALL_WAYS, CLIENTS, FAST, Outcome, REQUESTS, numbers, until_it_fails};
use crate::{Wrong, remote};

pub fn play(redis: Option<&str>, wrong: Option<Wrong>) -> Result<()> {
    let of_redis = matches!(wrong, Some(Wrong::GetSet | Wrong::Patient));
    if of_redis && redis.is_none() && RedisServer::find().is_none() {
        return Err("this wrong version needs a Redis, and none is available; see --help".into());
    }
    let mut table = Table::default();
    let prefix = format!("redis-counter-demo-{}", std::process::id());
    if let Some(url) = redis {
        remote::borrow(url, &prefix)?; // it is not ours
    }
    count(&mut table, &prefix)?;
    if let Some(url) = redis {
        remote::forget(url, &prefix)?;
    }
    match RedisServer::find() {
        Some(program) => lose(&mut table, RedisServer::start(&program)?)?,
        None => table.note("a lost Redis", "left out: no redis-server or valkey-server to kill"),
    }
    table.finish()
}

/// Starts the example with four workers, unless another number was given.
fn start(args: &[&str]) -> Result<Service> {
    let given = env::args().any(|arg| arg.starts_with("--workers"));
    let four = if given || env::var_os("CLUSTER_WORKERS").is_some_and(|it| !it.is_empty()) {
        [].as_slice()
    } else {
        &["--workers", "4"]
    };
    Service::start_several(&[four, args].concat())
}

/// Counts the same requests in every available way.
fn count(table: &mut Table, prefix: &str) -> Result<()> {
    let mut service = start(&["--prefix", prefix])?;
    clients::increment(&service)?;

    let parts = clients::parts(&mut service)?;
    let (sum, most) = (parts.values().sum::<u64>(), parts.values().max().copied().unwrap_or(0));
    let each: Vec<_> = parts.values().map(ToString::to_string).collect();
    let seen =
        format!("{} = {sum}: the best misses {}", each.join(" + "), REQUESTS - most.min(REQUESTS));
    table.claim("a variable: no worker has all 10000", seen, sum == REQUESTS && most < REQUESTS);

    let before = numbers(&service.get("/counter")?);
    exactly(table, "shared memory: all, exactly", &before, "memory");
    short(table, "wrong: load, then store", &before, "load-store");
    if before.contains_key("redis") {
        exactly(table, "Redis, INCR: all, exactly", &before, "redis");
        short(table, "wrong: GET, then SET", &before, "get-set");
    } else {
        table.note("Redis", "left out: none available, see --help");
    }
    kill_a_worker(table, &mut service, &parts, &before)
}

fn kill_a_worker(
    table: &mut Table,
    service: &mut Service,
    parts: &BTreeMap<i32, u64>,
    before: &BTreeMap<String, u64>,
) -> Result<()> {
    let (victim, part) = parts.first_key_value().ok_or("there are no workers")?;
    service.signal(*victim, Signal::SIGKILL)?;
    service.replaced(*victim, parts.len())?;
    let after = clients::parts(service)?.values().sum::<u64>();
    let now = numbers(&service.get("/counter")?);
    let shared = ["memory", "redis"].into_iter().filter(|way| before.contains_key(*way));
    let kept = shared.clone().all(|way| now.get(way) == before.get(way));
    let lost = REQUESTS.saturating_sub(after);
    let seen = format!("its {lost} are gone; kept: {}", shared.collect::<Vec<_>>().join(", "));
    table.claim("kill -9 of a worker loses only its variable", seen, kept && lost == *part);
    Ok(())
}

/// Kills a Redis while clients count in it, and starts it again.
fn lose(table: &mut Table, mut server: RedisServer) -> Result<()> {
    let mut service = start(&["--redis", &server.url()])?;
    let workers = service.workers()?;
    let counted = AtomicUsize::new(0);
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| until_it_fails(&service, &counted))).collect();
        let begun = wait_for("some increments", || (counted.load(Relaxed) > 500).then_some(()));
        server.kill()?;
        begun?;
        let outcomes = clients.into_iter().map(|client| client.join().expect("no client panics"));
        Ok::<_, lab::Error>(outcomes.collect())
    })?;
    let (good, failed) =
        (counted.load(Relaxed), outcomes.iter().map(|it| it.failed).sum::<usize>());
    let slowest = outcomes.iter().map(|it| it.slowest).max().unwrap_or_default();
    let clean = outcomes.iter().all(|it| it.clean);
    let seen = format!("{good} counted, {failed} times 503, the slowest in {}", ms(slowest));
    let fast = clean && failed > 0 && slowest < FAST;
    table.claim("Redis is killed: 503, and fast", seen, fast);
    if !fast {
        return Ok(()); // the other claims would only wait as long again
    }

    let others = service.get_at_once(CLIENTS, "/increment?in=memory")?;
    let alive = others.iter().all(|answer| answer.status == 200) && service.workers()? == workers;
    table.claim("meanwhile the workers live, and count in memory", format!("{workers:?}"), alive);

    server.restart()?;
    let all = || match service.get_at_once(CLIENTS, "/increment?in=redis") {
        Ok(answers) => answers.iter().all(|it| it.status == 200).then_some(Ok(answers.len())),
        Err(error) => Some(Err(error)), // 503 is an answer; no answer is a failure
    };
    let back = wait_for("all workers to count in Redis again", all).and_then(|all| all);
    table.claim_ok("it is started again: all count again", &back, |n| format!("{n} times 200"));
    let now = numbers(&service.get("/counter?in=redis")?);
    let forgotten = format!("counts from {}: the {good} are lost", now.get("redis").unwrap_or(&0));
    table.note("but a Redis without a disk forgets", forgotten);
    Ok(())
}

fn exactly(table: &mut Table, claim: &str, numbers: &BTreeMap<String, u64>, way: &str) {
    let number = numbers.get(way).copied().unwrap_or(0);
    table.claim(claim, format!("{number} of {REQUESTS}"), number == REQUESTS);
}

fn short(table: &mut Table, what: &str, numbers: &BTreeMap<String, u64>, way: &str) {
    let number = numbers.get(way).copied().unwrap_or(0);
    table.note(what, format!("{number} of {ALL_WAYS}: {} lost", ALL_WAYS.saturating_sub(number)));
}
