//! The cost of one event for the supervisor, with 10, 100 and 1,000 workers.
//!
//! Everything that happens in a cluster goes through `step`, so its cost must hardly depend on the
//! number of workers: not at all, or logarithmically. Before the times comes a table of their growth,
//! next to an operation that is logarithmic by construction: it takes a key out of a `BTreeMap` that
//! has one entry for each worker, and puts another one in.
//!
//! ```console
//! $ cargo bench -p benches --bench supervisor-step
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::time::{Duration, Instant};

use benches::median;
use cluster::supervisor::{Action, Exit, Input, Policy, Supervisor, Time, Vitals, WorkerId};
use criterion::{BenchmarkId, Criterion};

const SIZES: [usize; 3] = [10, 100, 1000];

/// The uptime of each worker in the cycle of crashes: long enough that none dies early.
const LIFE: Duration = Duration::from_secs(2);

/// The interval between timers, in the measurements of timers.
const PACE: Duration = Duration::from_millis(200);

/// Something that happens over and over: one call is one event.
type Happening = Box<dyn FnMut()>;

/// Its name, and the function that makes it for a number of workers.
type Event = (&'static str, fn(usize) -> Happening);

const EVENTS: [Event; 4] = [
    ("heartbeat", heartbeats),
    ("heartbeat, tick with a timer due", ticks),
    ("crash, restart, ready", crashes),
    ("a BTreeMap's remove and insert", tree),
];

fn main() {
    let smoke = !env::args().any(|arg| arg == "--bench");
    let (rounds, events) = if smoke { (1, 10) } else { (21, 10_000) };
    growth(rounds, events);
    times(&mut Criterion::default().configure_from_args());
}

/// Prints medians over rounds in which all take turns: a busy machine is busy for all of them.
fn growth(rounds: usize, events: u32) {
    let [few, some, many] = SIZES;
    let growth = format!("{many} : {few} (a logarithm: 3.0)");
    println!("{:<34}{few:>9} {some:>9} {many:>9}   {growth}", "one event, by workers:");
    let mut table = EVENTS.map(|(name, make)| (name, SIZES.map(|n| (make(n), Vec::new()))));
    for _ in 0..rounds {
        for (happening, took) in table.iter_mut().flat_map(|(_, sizes)| sizes) {
            took.push(time(happening, events));
        }
    }
    for (name, sizes) in table {
        let [few, some, many] = sizes.map(|(_, took)| median(took));
        println!("  {name:<32}{few:>6.0} ns {some:>6.0} ns {many:>6.0} ns {:>11.1}", many / few);
    }
    println!();
}

/// Nanoseconds of one event.
fn time(happening: &mut Happening, events: u32) -> f64 {
    let start = Instant::now();
    (0..events).for_each(|_| happening());
    start.elapsed().as_secs_f64() * 1e9 / f64::from(events)
}

fn times(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("supervisor-step");
    for (name, make) in EVENTS {
        for workers in SIZES {
            let mut happening = make(workers);
            let id = BenchmarkId::new(name, workers);
            group.bench_function(id, |bencher| bencher.iter(&mut happening));
        }
    }
    group.finish();
}

/// A cluster whose workers become ready one after the other, `PACE` apart.
fn cluster(policy: Policy) -> (Supervisor, Time, VecDeque<WorkerId>) {
    let mut supervisor = Supervisor::new(policy, 1);
    let mut now = Time::default();
    let workers: VecDeque<_> = supervisor.start(now).iter().filter_map(spawned).collect();
    for worker in &workers {
        now = now.after(PACE);
        supervisor.step(now, Input::Ready(*worker));
    }
    assert_eq!(supervisor.ready(), workers.len(), "all are ready");
    (supervisor, now, workers)
}

/// Timers that are due `PACE` apart in a cluster of healthy workers.
fn policy(workers: usize) -> Policy {
    let all = PACE * u32::try_from(workers).expect("a thousand at most");
    Policy {
        workers,
        max_workers: workers,
        ready_timeout: all * 2,
        heartbeat: Some(all / 2), // two missed reports are silence
        ..Policy::default()
    }
}

fn spawned(action: &Action) -> Option<WorkerId> {
    match action {
        Action::Spawn { worker, .. } => Some(*worker),
        _ => None,
    }
}

fn heartbeats(workers: usize) -> Happening {
    let (mut supervisor, now, mut workers) = cluster(policy(workers));
    Box::new(move || {
        workers.rotate_left(1);
        let actions = supervisor.step(now, Input::Heartbeat(workers[0], Vitals::default()));
        assert!(actions.is_empty(), "a heartbeat changes nothing");
    })
}

fn ticks(workers: usize) -> Happening {
    let (mut supervisor, mut now, mut workers) = cluster(policy(workers));
    Box::new(move || {
        now = now.after(PACE);
        supervisor.step(now, Input::Heartbeat(workers[0], Vitals::default()));
        let actions = supervisor.step(now, Input::Tick);
        assert!(actions.is_empty(), "its silence was not long enough");
        workers.rotate_left(1);
    })
}

fn crashes(workers: usize) -> Happening {
    let pause = LIFE / u32::try_from(workers).expect("a thousand at most");
    let policy = Policy { heartbeat: None, ..policy(workers) };
    let (mut supervisor, mut now, mut workers) = cluster(policy);
    now = now.after(LIFE);
    Box::new(move || {
        now = now.after(pause);
        let worker = workers.pop_front().expect("there are workers");
        let actions = supervisor.step(now, Input::Exited(worker, Exit::Signal(9)));
        let next = actions.iter().find_map(spawned).expect("it is replaced at once");
        supervisor.step(now, Input::Ready(next));
        workers.push_back(next);
    })
}

fn tree(workers: usize) -> Happening {
    let mut tree: BTreeMap<u64, u64> = (0..).map(|key| (key, key)).take(workers).collect();
    let mut next = workers as u64;
    Box::new(move || {
        tree.pop_first();
        tree.insert(next, next);
        next += 1;
    })
}
