//! The cost of a worker: as a task, a thread, a forked process, or a process started again.
//!
//! The bench measures the time from the start of a worker until its first useful work: it writes one
//! byte to a pipe, and its parent reads that byte. Stopping it does not count. Then comes a table of
//! memory: the amount that one more idle worker adds to the proportional set size (PSS) of all.
//!
//! ```console
//! $ cargo bench -p benches --bench worker-cost
//! ```

use std::env;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::process::{self, Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use lab::proc;
use level_1::process::fork;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, pause};
use tokio::runtime::{Builder, Runtime};

/// The variable that is set in the environment of a process that was started again.
const ROLE: &str = "WORKER_COST_ROLE";
/// The parent's memory in the bench that shows whether its size matters.
const MUCH: usize = 256 << 20;

fn main() {
    match env::var(ROLE).as_deref() {
        Ok("work") => return work(&mut io::stdout()),
        Ok("idle") => {
            work(&mut io::stdout());
            let _ = io::stdin().read(&mut [0]); // until the parent closes the other end
            return;
        }
        _ => {}
    }
    let smoke = !env::args().any(|arg| arg == "--bench");
    memory_table(if smoke { 2 } else { 50 });
    times(&mut Criterion::default().configure_from_args());
}

/// The first useful work of every worker.
fn work(to: &mut impl Write) {
    to.write_all(b"!").and_then(|()| to.flush()).expect("the parent reads it");
}

fn seen(from: &mut impl Read) {
    from.read_exact(&mut [0]).expect("the worker writes it");
}

fn times(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("worker-cost");
    group.bench_function("task", |bencher| {
        let runtime = runtime();
        bencher.iter_custom(|n| (0..n).map(|_| time_task(&runtime)).sum());
    });
    group.bench_function("thread", |bencher| {
        bencher.iter_custom(|n| (0..n).map(|_| time_thread()).sum());
    });
    group.bench_function("fork", |bencher| {
        bencher.iter_custom(|n| (0..n).map(|_| time_fork()).sum());
    });
    group.bench_function(BenchmarkId::new("fork", "256 MiB in the parent"), |bencher| {
        let memory = black_box(vec![1_u8; MUCH]);
        bencher.iter_custom(|n| (0..n).map(|_| time_fork()).sum());
        drop(memory);
    });
    group.bench_function("fork+exec", |bencher| {
        bencher.iter_custom(|n| (0..n).map(|_| time_exec()).sum());
    });
    group.finish();
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).build().expect("a runtime")
}

fn time_task(runtime: &Runtime) -> Duration {
    let (mut reader, mut writer) = io::pipe().expect("a pipe");
    let start = Instant::now();
    runtime.spawn(async move { work(&mut writer) });
    seen(&mut reader);
    start.elapsed()
}

fn time_thread() -> Duration {
    let (mut reader, mut writer) = io::pipe().expect("a pipe");
    let start = Instant::now();
    let worker = thread::spawn(move || work(&mut writer));
    seen(&mut reader);
    let took = start.elapsed();
    worker.join().expect("it only writes");
    took
}

fn time_fork() -> Duration {
    let (mut reader, mut writer) = io::pipe().expect("a pipe");
    let start = Instant::now();
    match fork().expect("one more process") {
        ForkResult::Child => {
            work(&mut writer);
            process::exit(0)
        }
        ForkResult::Parent { child } => {
            seen(&mut reader);
            let took = start.elapsed();
            waitpid(child, None).expect("our child");
            took
        }
    }
}

fn time_exec() -> Duration {
    let start = Instant::now();
    let mut worker = start_again("work");
    seen(worker.stdout.as_mut().expect("piped"));
    let took = start.elapsed();
    worker.wait().expect("our child");
    took
}

/// Fork and exec of this same program, with std's help.
fn start_again(role: &str) -> Child {
    let mut command = Command::new(env::current_exe().expect("a program knows its path"));
    command.env(ROLE, role).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().expect("it starts")
}

/// Prints the memory that one more idle worker adds, in KiB of PSS over all processes.
fn memory_table(n: usize) {
    let row = |kind: &str, added: u64| {
        let each = added / n as u64;
        println!("  {kind:<10} {:>6}.{} KiB", each / 1024, each % 1024 * 10 / 1024);
    };
    println!("memory that an idle worker adds (PSS, mean of {n}):");
    row("fork", forked(n));
    row("fork+exec", started_again(n));
    row("task", tasks(n));
    row("thread", threads(n));
    println!();
}

/// The memory of this process and of `workers` together.
fn pss(workers: &[u32]) -> u64 {
    let pids = workers.iter().copied().chain([process::id()]);
    pids.map(|pid| proc::pss(pid.cast_signed()).expect("ours")).sum()
}

fn forked(n: usize) -> u64 {
    let alone = pss(&[]);
    let (mut reader, mut writer) = io::pipe().expect("a pipe");
    let mut workers = Vec::new();
    for _ in 0..n {
        match fork().expect("one more process") {
            ForkResult::Parent { child } => workers.push(child),
            ForkResult::Child => {
                work(&mut writer);
                loop {
                    pause();
                }
            }
        }
        seen(&mut reader);
    }
    let pids: Vec<u32> = workers.iter().map(|pid| pid.as_raw().cast_unsigned()).collect();
    let added = pss(&pids).saturating_sub(alone);
    for worker in workers {
        kill(worker, Signal::SIGKILL).and_then(|()| waitpid(worker, None)).expect("our child");
    }
    added
}

fn started_again(n: usize) -> u64 {
    let alone = pss(&[]);
    let mut workers: Vec<Child> = (0..n).map(|_| start_again("idle")).collect();
    for worker in &mut workers {
        seen(worker.stdout.as_mut().expect("piped"));
    }
    let added = pss(&workers.iter().map(Child::id).collect::<Vec<_>>()).saturating_sub(alone);
    for mut worker in workers {
        worker.wait().expect("it ends when its stdin is closed, and wait does that first");
    }
    added
}

fn tasks(n: usize) -> u64 {
    let runtime = runtime();
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let mut start = || {
        let mut writer = writer.try_clone().expect("one more descriptor");
        runtime.spawn(async move {
            work(&mut writer);
            std::future::pending::<()>().await;
        });
        seen(&mut reader);
    };
    start(); // now the runtime has all that it needs, and one more task is just a task
    let alone = pss(&[]);
    (0..n).for_each(|_| start());
    pss(&[]).saturating_sub(alone)
}

fn threads(n: usize) -> u64 {
    let alone = pss(&[]);
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let mut workers = Vec::new();
    for _ in 0..n {
        let mut writer = writer.try_clone().expect("one more descriptor");
        let (end, until_the_end) = mpsc::channel::<()>();
        let worker = thread::spawn(move || {
            work(&mut writer);
            let _ = until_the_end.recv();
        });
        workers.push((end, worker));
        seen(&mut reader);
    }
    let added = pss(&[]).saturating_sub(alone);
    for (end, worker) in workers {
        drop(end);
        worker.join().expect("it only waits");
    }
    added
}
