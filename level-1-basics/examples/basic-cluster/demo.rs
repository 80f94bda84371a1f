//! The lesson, played by a client that never retries: it starts this example, kills its processes,
//! and looks at the ones that are left.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lab::Result;
use lab::{Service, Table, median, ms, proc, wait_for};
use nix::sys::signal::Signal;

pub fn play() -> Result<()> {
    let mut table = Table::default();

    let mut cluster = Service::start(&[])?;
    let workers = cluster.workers()?;
    let wanted = workers.len();
    let answered = cluster.all_answer(&workers)?;
    let several = answered.len() > 1 && answered.iter().eq(&workers);
    table.claim("several workers answer on one port", format!("pids {answered:?}"), several);

    let mut browser = cluster.connect()?;
    let refreshed = (0..10).map(|_| browser.get("/")?.worker()).collect::<Result<BTreeSet<_>>>()?;
    let one = refreshed.len() == 1;
    table.claim("a kept-alive connection sees one of them", format!("pids {refreshed:?}"), one);

    cluster.signal(workers[0], Signal::SIGKILL)?;
    let replaced = cluster.replaced(workers[0], wanted);
    table.claim_ok("a killed worker is replaced", &replaced, |pid| format!("by {pid}"));

    let workers = cluster.workers()?;
    cluster.signal(cluster.primary(), Signal::SIGKILL)?;
    let gone =
        wait_for("the workers to end", || workers.iter().all(|pid| proc::gone(*pid)).then_some(()));
    table.claim_ok("none outlives a killed primary", &gone, |()| "all gone".to_owned());

    let alone = Service::start(&["--workers", "1"])?;
    if replaced.is_ok() {
        let times = (0..20).map(|_| from_kill_to_answer(&alone)).collect::<Result<_>>()?;
        table.note("from kill to answer, 1 worker", format!("{}, median of 20", ms(median(times))));
    }

    let mut wrong = Service::start(&["--wrong", "no-replacement"])?;
    let victim = wrong.workers()?[0];
    wrong.signal(victim, Signal::SIGKILL)?;
    wrong.prints(&format!("worker {victim} was killed"))?;
    let left = wrong.workers()?.len();
    table.note("wrong: a dead worker is not replaced", format!("{left} of {wanted} left"));

    let mut wrong = Service::start(&["--wrong", "orphans"])?;
    wrong.signal(wrong.primary(), Signal::SIGKILL)?;
    wrong.ended()?;
    let orphan = wrong.get("/")?.worker()?;
    table.note(
        "wrong: nothing ties workers to the primary",
        format!("orphan {orphan} still answers"),
    );
    table.finish()
}

/// The client connects while no worker accepts: the kernel queues the connection, because the primary
/// has the listening socket too, and the replacement finds it there.
fn from_kill_to_answer(alone: &Service) -> Result<Duration> {
    let victim = alone.get("/")?.worker()?;
    let start = Instant::now();
    alone.signal(victim, Signal::SIGKILL)?;
    let answered = alone.get("/")?.worker()?;
    if answered == victim { Err("a killed worker answered".into()) } else { Ok(start.elapsed()) }
}
