//! Messages between the primary and a worker, compared with a bare socket pair.
//!
//! Here the primary measures itself: on the thread where a program's code runs in the primary, and
//! in the worker's own task. The bare process at the other end of the socket pair is a child of the
//! primary too, and takes its turn.

use std::fmt::Write;
use std::io::Read;
use std::time::{Duration, Instant};

use benches::median;
use cluster::primary::{Event, Events, Handle};
use cluster::supervisor::WorkerId;
use cluster::{Cluster, Config, Error, Result, Worker, is_worker};
use serde::{Deserialize, Serialize};

use super::bare::Echo;
use super::server;
use super::table::{Row, Target};

/// Messages in one measurement. The primary's queue of events has room for 1,024.
const COUNT: u32 = 500;
const LIMIT: Duration = Duration::from_secs(10);

/// Starts the cluster that measures itself.
pub fn measure(quick: bool) -> Result<Vec<Row>> {
    let mut command = server::command("messages", 1);
    command.args(quick.then_some("--quick"));
    let mut process = command.spawn()?;
    let mut said = String::new();
    process.stdout.take().expect("it is piped").read_to_string(&mut said)?;
    process.wait()?;
    let ns: Vec<f64> = said.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let [ask, back, tell, bare_ask, bare_tell] = ns[..] else {
        return Err(Error::new("the cluster did not measure its messages; see above"));
    };
    let row = |name, ours: f64, bare: f64, what| Row {
        name,
        measured: format!("{:.1} µs {what}", ours / 1e3),
        compared: format!("{:.1} µs by a bare socket pair", bare / 1e3),
        ratio: ours / bare,
        target: Target::None,
    };
    Ok(vec![
        row("ask a worker", ask, bare_ask, "there and back"),
        row("ask the primary", back, bare_ask, "there and back"),
        row("tell the primary", tell, bare_tell, "each, in a row"),
    ])
}

/// A measurement that the primary orders from the worker, with its number of messages.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    Ask(u32),
    Tell(u32),
}

/// A message from the worker.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    /// One of the messages that are measured.
    Text(String),
    /// The time that one message took, in nanoseconds.
    Took(f64),
}

/// The cluster that measures itself.
pub fn play(quick: bool) -> Result<()> {
    let rounds = if quick { 3 } else { 51 };
    let echo = if is_worker() { None } else { Some(Echo::start()?) };
    let watch = move |mut events: Events, handle: Handle| {
        let Some(mut echo) = echo else { return };
        match rounds_of(rounds, &mut events, &handle, &mut echo) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("error: {error}"),
        }
        drop(echo);
        let _ = handle.stop();
        events.for_each(drop);
    };
    Cluster::new(Config::from_env()?).watch(watch).run(work)
}

fn rounds_of(
    rounds: usize,
    events: &mut Events,
    handle: &Handle,
    echo: &mut Echo,
) -> Result<String> {
    let worker = events.find_map(|event| match event {
        Event::Listening(worker, _) => Some(worker),
        _ => None,
    });
    let worker = worker.ok_or_else(|| Error::new("there is no worker"))?;
    let mut took = [const { Vec::new() }; 5];
    for _ in 0..=rounds {
        took[0].push(each(|| ask(handle, worker))?);
        took[1].push(ordered(&Order::Ask(COUNT), events, handle, worker)?);
        took[2].push(ordered(&Order::Tell(COUNT), events, handle, worker)?);
        took[3].push(each(|| echo.ask(&message()))?);
        took[4].push(bare_tell(echo)?);
    }
    let mut line = String::new();
    for took in took {
        let _ = write!(line, "{} ", median(took[1..].to_vec())); // the first is for warming up
    }
    Ok(line)
}

fn message() -> String {
    "x".repeat(100)
}

/// Nanoseconds of one message among many.
fn each(mut one: impl FnMut() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    (0..COUNT).try_for_each(|_| one())?;
    Ok(per_message(begun))
}

fn per_message(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(COUNT)
}

/// Measures questions of the primary's program to the worker.
fn ask(handle: &Handle, worker: WorkerId) -> Result<()> {
    handle.request::<String>(worker, &message(), LIMIT).map(drop)
}

/// Measures messages of the worker to the primary's program, which plays its part here.
fn ordered(order: &Order, events: &mut Events, handle: &Handle, worker: WorkerId) -> Result<f64> {
    handle.tell(worker, order)?;
    for event in events {
        match event {
            Event::Asked(_, body, answerer) => answerer.send(&body.parse::<String>()?)?,
            Event::Message(_, body) => match body.parse()? {
                Said::Took(ns) => return Ok(ns),
                Said::Text(_) => {}
            },
            Event::Lagged(lost) => return Err(Error::new(format!("{lost} messages were lost"))),
            _ => {}
        }
    }
    Err(Error::new("the cluster has ended"))
}

/// Measures many messages in a row; an answer to the last shows that all have been read.
fn bare_tell(echo: &mut Echo) -> Result<f64> {
    let begun = Instant::now();
    for _ in 1..COUNT {
        echo.tell(&message())?;
    }
    echo.ask(&message())?;
    Ok(per_message(begun))
}

/// The worker: it answers questions, and measures on order.
async fn work(worker: Worker) -> Result<()> {
    let mut arrivals = worker.arrivals("default").await?;
    let mut messages = worker.messages()?;
    loop {
        tokio::select! {
            Some(message) = messages.recv() => match message.reply {
                Some(reply) => reply.send(&message.body.parse::<String>()?).await?,
                None => carry_out(&worker, &message.body.parse()?).await?,
            },
            arrival = arrivals.next() => if arrival.is_none() { return Ok(()) },
        }
    }
}

async fn carry_out(worker: &Worker, order: &Order) -> Result<()> {
    let begun = Instant::now();
    match *order {
        Order::Ask(count) => {
            for _ in 0..count {
                worker.request::<String>(&message(), LIMIT).await?;
            }
        }
        Order::Tell(count) => {
            for _ in 1..count {
                worker.tell(&Said::Text(message())).await?;
            }
            worker.request::<String>(&message(), LIMIT).await?;
        }
    }
    worker.tell(&Said::Took(per_message(begun))).await
}
