//! Messages to the loop, from workers and other threads.

use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tracing::warn;

use super::Command;
use super::courier::News;
use super::driver::Driver;
use super::events::{Answerer, Body, Event};
use crate::channel::message::{Answer, ToPrimary, ToWorker};
use crate::spawn::manifest::MAX_LISTENERS;
use crate::supervisor::{Input, Refusal, WorkerId};

/// The answer to a question that the program asked a worker.
type Answered = oneshot::Sender<Result<Box<RawValue>, Refusal>>;

impl Driver {
    pub(super) fn news(&mut self, worker: WorkerId, news: News) {
        match news {
            News::Said(message) => self.said(worker, message),
            News::Broken(why) => self.feed(Input::Broken(worker, why)),
            News::Exited(exit) => {
                self.ports.gone(worker);
                self.totals.retire(worker);
                self.begun(worker);
                self.feed(Input::Exited(worker, exit));
            }
        }
    }

    fn said(&mut self, worker: WorkerId, message: ToPrimary) {
        match message {
            ToPrimary::Online => {
                if let Some(peer) = self.peers.get_mut(&worker) {
                    peer.online = true;
                }
                self.events.put(Event::Online(worker));
                self.begun(worker);
            }
            ToPrimary::CannotBegin { reason, shortage } => {
                self.cannot_begin(worker, &reason, shortage);
            }
            ToPrimary::WaitsFor(mut listeners) => {
                listeners.retain(|name| self.config.listeners().any(|ours| ours == name));
                listeners.truncate(MAX_LISTENERS);
                self.feed(Input::WaitsFor(worker, listeners));
            }
            ToPrimary::Ready => self.feed(Input::Ready(worker)),
            ToPrimary::Terminated => self.feed(Input::Terminated(worker)),
            ToPrimary::Heartbeat(vitals, metrics) => {
                let Some(peer) = self.peers.get_mut(&worker) else { return };
                peer.vitals = vitals;
                peer.last_report = Some(SystemTime::now());
                if let Some(metrics) = metrics {
                    self.totals.report(worker, peer.slot, &metrics);
                }
                self.feed(Input::Heartbeat(worker, vitals));
            }
            ToPrimary::StoppedAccepting => {
                self.ports.closed(worker);
                self.feed(Input::StoppedAccepting(worker));
            }
            ToPrimary::Leaving => {
                self.ports.closed(worker);
                self.feed(Input::Leaving(worker));
            }
            ToPrimary::Tell(body) => self.events.put(Event::Message(worker, Body(body))),
            ToPrimary::Relay(body) => self.broadcast(&body, Some(worker)),
            ToPrimary::Ask(id, body) => {
                let answerer = Answerer { worker, id, commands: self.to_loop.clone() };
                self.events.put(Event::Asked(worker, Body(body), answerer));
            }
            ToPrimary::Answer(id, answer) => {
                if let Some(peer) = self.peers.get_mut(&worker) {
                    peer.answered(id, answer);
                }
            }
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Reload(reply) => self.reload(Some(reply)),
            Command::Scale(to, reply) => self.scale(to, Some(reply)),
            Command::Reset(slot, reply) => {
                let request = self.request(Some(reply));
                self.feed(Input::Reset { request, slot });
            }
            Command::Stop { now: false } => self.feed(Input::Stop),
            Command::Stop { now: true } => self.feed(Input::StopNow),
            Command::Stats(reply) => drop(reply.send(self.stats())),
            Command::Metrics(reply) => drop(reply.send(self.totals.clone())),
            Command::Tell(worker, body) => self.send(worker, &ToWorker::Tell(body)),
            Command::Broadcast(body) => self.broadcast(&body, None),
            Command::Ask(worker, body, limit, reply) => self.ask(worker, body, limit, reply),
            Command::Answer(worker, id, answer) => {
                self.send(worker, &ToWorker::Answer(id, answer));
            }
        }
    }

    /// Passes a message to all workers that are ready, but not back to its sender.
    fn broadcast(&self, body: &RawValue, sender: Option<WorkerId>) {
        for worker in self.ready_workers().filter(|worker| Some(*worker) != sender) {
            self.send(worker, &ToWorker::Tell(body.to_owned()));
        }
    }

    fn send(&self, worker: WorkerId, message: &ToWorker) {
        let Some(peer) = self.peers.get(&worker) else {
            warn!(%worker, "a message for a worker that is gone was dropped");
            return;
        };
        match peer.message(message) {
            // Logs the first one, then fewer and fewer: a flood of messages must not become a flood
            // of log lines.
            Ok(Err(dropped)) if dropped.is_power_of_two() => {
                warn!(%worker, dropped, "the worker does not read its messages; some were dropped");
            }
            Ok(Ok(()) | Err(_)) => {}
            Err(error) => warn!(%worker, "{error}"),
        }
    }

    fn ask(&mut self, worker: WorkerId, body: Box<RawValue>, limit: Duration, reply: Answered) {
        self.next_question += 1;
        let (answered, answer) = oneshot::channel();
        let Some(peer) = self.peers.get_mut(&worker) else {
            let _ = reply.send(Err(Refusal(format!("there is no worker {worker}"))));
            return;
        };
        match peer.ask(self.next_question, body, answered) {
            Ok(Ok(())) => drop(tokio::spawn(wait(worker, answer, limit, reply))),
            Ok(Err(_)) => {
                let why = format!("worker {worker} does not read its messages");
                let _ = reply.send(Err(Refusal(why)));
            }
            Err(error) => drop(reply.send(Err(Refusal(error.to_string())))),
        }
    }
}

/// Waits until a worker answers or exits, or until the time is up.
async fn wait(
    worker: WorkerId,
    answer: oneshot::Receiver<Answer>,
    limit: Duration,
    reply: Answered,
) {
    let answer = match tokio::time::timeout(limit, answer).await {
        Ok(Ok(answer)) => answer.map_err(Refusal),
        Ok(Err(_)) => Err(Refusal(format!("worker {worker} was gone before it answered"))),
        Err(_) => Err(Refusal(format!("worker {worker} did not answer within {limit:?}"))),
    };
    let _ = reply.send(answer); // the caller may have given up
}
