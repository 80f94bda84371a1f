//! Turns the supervisor's actions into system calls.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tracing::warn;

use super::driver::Driver;
use super::peer::Peer;
use crate::channel::frame;
use crate::channel::message::{Hello, ToWorker};
use crate::dispatch::channel;
use crate::spawn::{manifest, spawn};
use crate::supervisor::{Action, Generation, Input, Refusal, RequestId, SlotId, WorkerId};
use crate::{Error, Result};

/// An order to drain that has not been sent yet.
#[derive(Debug)]
pub(super) struct Drain {
    worker: WorkerId,
    window: Duration,
    deadline: Duration,
}

impl Driver {
    /// Performs the supervisor's actions, in order. A start that fails is reported to the supervisor
    /// at once, and the actions that follow from the failure come last.
    pub(super) fn perform(&mut self, actions: Vec<Action>) {
        let mut to_do = VecDeque::from(actions);
        while let Some(action) = to_do.pop_front() {
            if let Some(input) = self.act(action) {
                to_do.extend(self.supervisor.step(self.now(), input));
            }
        }
    }

    fn act(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Spawn { worker, slot, generation } => {
                let failed = self.spawn(worker, slot, generation).err()?;
                return Some(self.spawn_failed(worker, &failed));
            }
            Action::Drain { worker, window, deadline } => {
                self.drains.push(Drain { worker, window, deadline });
                self.drain(false);
            }
            Action::Accept(worker) => return self.accept(worker),
            Action::ServeOn(worker) => self.control(worker, &ToWorker::ServeOn),
            Action::Cut(worker) => self.control(worker, &ToWorker::Cut),
            Action::Signal { worker, signal } => {
                if let Some(peer) = self.peers.get(&worker) {
                    peer.signal(signal);
                }
            }
            Action::RefuseConnections => {
                self.ports.take_in();
                self.drain(true);
                self.ports.refuse();
            }
            Action::SuspendConnections => self.ports.suspend(),
            Action::Reply { request, result } => self.reply(request, result),
            Action::Emit(event) => self.report(event),
            Action::Forget(generation) => drop(self.versions.remove(&generation)),
            Action::Finished => self.finished = true,
        }
        None
    }

    /// Orders workers to drain. During a stop, they get the order only once they have been given the
    /// connections that the primary has accepted for them, or when it is too late for that.
    pub(super) fn drain(&mut self, now: bool) {
        let stops = self.drains.iter().any(|drain| drain.window.is_zero());
        if !now && stops && self.ports.owes_connections() {
            return;
        }
        for Drain { worker, window, deadline } in std::mem::take(&mut self.drains) {
            if window.is_zero() {
                self.ports.draining(worker);
            } else {
                self.ports.closed(worker);
            }
            self.control(worker, &ToWorker::Drain { window, deadline });
        }
    }

    /// Lets a worker accept connections. If the ports cannot be opened at the start, this is an error
    /// of the cluster; after an outage, the primary keeps trying until they can be opened.
    pub(super) fn accept(&mut self, worker: WorkerId) -> Option<Input> {
        if let Err(error) = self.ports.open() {
            if self.ports.were_open() {
                warn!("the ports cannot be opened again, and are tried every second: {error}");
                self.unadmitted.push(worker);
            } else {
                self.fatal(error);
            }
            return None;
        }
        if let Err(error) = self.ports.ready(worker) {
            return Some(Input::Broken(worker, error.to_string()));
        }
        self.control(worker, &ToWorker::Accept);
        None
    }

    /// Tries to open the ports again for workers that are ready.
    pub(super) fn accept_unadmitted(&mut self) {
        if self.ports.open().is_err() {
            return; // already logged
        }
        for worker in std::mem::take(&mut self.unadmitted) {
            if self.peers.contains_key(&worker)
                && let Some(input) = self.accept(worker)
            {
                self.feed(input);
            }
        }
    }

    fn spawn_failed(&mut self, worker: WorkerId, error: &Error) -> Input {
        let (reason, shortage) = (error.to_string(), error.is_shortage());
        self.a_worker_cannot_begin(&reason, shortage);
        Input::SpawnFailed { worker, reason, shortage }
    }

    fn spawn(&mut self, worker: WorkerId, slot: SlotId, generation: Generation) -> Result<()> {
        if self.fatal.is_some() {
            return Err(Error::new("the cluster is stopping"));
        }
        let version = self.versions.get(&generation).ok_or_else(|| {
            Error::new(format!("version {generation} of the program is no longer open"))
        })?;
        let cannot = |error| Error::because("cannot start a worker", error);
        let (mine, theirs) = UnixStream::pair().map_err(cannot)?;
        mine.set_nonblocking(true)?;
        let mine = tokio::net::UnixStream::from_std(mine)?;
        let (hand_off, their_hand_off) = channel::pair().map_err(cannot)?;
        // The supervisor judges the worker by the policy in force, which a reload may have changed
        // since the program was opened.
        let mut config = (*version.config).clone();
        config.policy = self.supervisor.policy().clone();
        let restarts = self.tally.before(slot);
        let listeners = self.ports.listeners(slot)?;
        let hello = Hello {
            worker,
            slot,
            generation,
            restarts,
            config,
            addresses: self.addresses.to_vec(),
            shared: self.shared.is_some().then(|| manifest::shared(listeners.len())),
        };
        let mut descriptors: Vec<BorrowedFd<'_>> =
            vec![theirs.as_fd(), self.lifeline.as_fd(), their_hand_off.as_fd()];
        descriptors.extend(listeners.iter().map(|listener| listener.as_fd()));
        descriptors.extend(self.shared.as_ref().map(AsFd::as_fd));
        let hello = frame::encode(&ToWorker::Hello(Box::new(hello)))?; // before there is a process
        let process = spawn(&version.image, &self.program, &descriptors)?;
        let pid = process.pid;
        let peer = Peer::attend(worker, slot, restarts, process, mine, self.deliver.clone())?;
        peer.begin(hello);
        self.ports.spawned(worker, slot, hand_off);
        self.peers.insert(worker, peer);
        self.spawned(worker, slot, generation, pid);
        Ok(())
    }

    pub(super) fn control(&self, worker: WorkerId, message: &ToWorker) {
        let Some(peer) = self.peers.get(&worker) else { return };
        if let Err(error) = peer.control(message) {
            warn!(%worker, "{error}");
        }
    }

    fn reply(&mut self, request: RequestId, result: Result<usize, Refusal>) {
        match self.replies.remove(&request) {
            Some(reply) => drop(reply.send(result)), // the caller may have given up
            None => {
                if let Err(why) = result {
                    warn!("{why}"); // a signal requested it: its sender looks at the log
                }
            }
        }
    }
}
