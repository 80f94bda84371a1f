//! The survey of all workers: the only work of the primary for its workers that takes time.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use cluster::primary::{Answerer, Handle, WorkerStats};
use cluster::supervisor::WorkerId;
use lab::say;

use crate::messages::{Health, Report, ToWorker};
use crate::{LIMIT, Wrong};

/// The number of questions that may wait during a survey. A question waits for three surveys at most,
/// and so for less than its [`PATIENCE`](crate::PATIENCE).
const WAITING: usize = 2;

/// Starts the thread that asks: a survey takes as long as the slowest worker, and other messages must
/// not wait for it. Clients decide how often they ask, so there is one thread, not one for each question.
pub fn asker(cluster: &Handle, wrong: Option<Wrong>) -> SyncSender<Answerer> {
    let (asker, waiting) = sync_channel(WAITING);
    let cluster = cluster.clone();
    thread::spawn(move || {
        for answer in waiting {
            if let Err(error) = report(&cluster, wrong, answer) {
                say!("primary: could not answer: {error}");
            }
        }
    });
    asker
}

/// Asks all workers, and answers the question.
pub fn report(cluster: &Handle, wrong: Option<Wrong>, answer: Answerer) -> cluster::Result<()> {
    say!("primary: asks all workers how they are");
    let reports = ask_all(cluster, wrong)?;
    let n = reports.iter().filter(|(_, health)| health.is_ok()).count();
    say!("primary: {n} of {} workers have answered", reports.len());
    answer.send(&reports)
}

/// Asks all ready workers at the same time, so that all of them together take no longer than one.
fn ask_all(cluster: &Handle, wrong: Option<Wrong>) -> cluster::Result<Vec<Report>> {
    let limit = if wrong == Some(Wrong::NoLimit) { Duration::MAX } else { LIMIT };
    let mut workers = cluster.stats()?.workers;
    workers.retain(|worker| worker.state == "ready");
    if wrong == Some(Wrong::AskInTurn) {
        return Ok(workers.iter().map(|worker| ask(cluster, worker, limit)).collect());
    }
    Ok(thread::scope(|scope| {
        let begin = |worker| {
            thread::Builder::new().spawn_scoped(scope, move || ask(cluster, worker, limit))
        };
        let asked: Vec<_> = workers.iter().map(|worker| (worker.pid, begin(worker))).collect();
        // All questions have started before the first answer is waited for.
        let end = |(pid, asked): (u32, io::Result<ScopedJoinHandle<'_, Report>>)| match asked {
            Ok(asked) => asked.join().expect("a question does not panic"),
            Err(error) => (pid, Err(format!("there is no thread for its question: {error}"))),
        };
        asked.into_iter().map(end).collect()
    }))
}

/// Asks one worker, and waits for its answer.
fn ask(cluster: &Handle, worker: &WorkerStats, limit: Duration) -> Report {
    let WorkerStats { id, pid, .. } = *worker;
    say!("primary: asks worker {pid}");
    let health = cluster.request::<Health>(WorkerId(id), &ToWorker::HowAreYou, limit);
    if health.is_err() {
        say!("primary: worker {pid} gives no answer");
    }
    (pid, health.map_err(|error| error.to_string()))
}
