//! The chronicle: events are reported to the log, the counts, systemd and the program.

use std::time::Duration;

use nix::unistd::Pid;
use tracing::{debug, error, info, warn};

use super::driver::Driver;
use super::events::Event;
use super::tally::Start;
use crate::listener::systemd;
use crate::supervisor::{self, Exit, Generation, Refusal, SlotId, WorkerId};

impl Driver {
    /// A process has actually been started.
    pub(super) fn spawned(
        &mut self,
        worker: WorkerId,
        slot: SlotId,
        generation: Generation,
        pid: Pid,
    ) {
        self.tally.spawned(slot);
        info!(%worker, %slot, %generation, %pid, "worker spawned");
        let pid = pid.as_raw().unsigned_abs();
        self.events.put(Event::Spawned { worker, slot, generation, pid });
    }

    /// Reports an event of the supervisor.
    pub(super) fn report(&mut self, happened: supervisor::Event) {
        use supervisor::Event as Fact;
        if self.fatal.is_some() && !matches!(happened, Fact::Exited { .. } | Fact::Stopping) {
            return; // only one thing is left to report: why it cannot serve
        }
        match happened {
            Fact::Spawned { .. } => {} // reported when there is a pid
            Fact::Ready(worker) => self.listening(worker),
            Fact::Draining(worker, why) => {
                info!(%worker, ?why, "worker is draining");
                self.events.put(Event::Draining(worker, why));
            }
            Fact::Disconnected(worker) => self.events.put(Event::Disconnected(worker)),
            Fact::Unhealthy(worker, why) => {
                self.failed();
                warn!(%worker, "worker is unhealthy: {why}");
                self.events.put(Event::Unhealthy(worker, why));
            }
            Fact::Exited { worker, exit, voluntary, uptime } => {
                self.exited(worker, exit, voluntary, uptime);
            }
            Fact::BackingOff { slot, failures, delay } => {
                self.failed();
                warn!(%slot, failures, ?delay, "the slot's workers die early; the next is delayed");
                self.events.put(Event::BackingOff { slot, failures, delay });
            }
            Fact::Errored { slot, failures, delay } => {
                error!(
                    %slot, failures, every = ?delay,
                    "the slot's workers keep dying early; fix the program, then reload or reset"
                );
                self.events.put(Event::Errored { slot, failures, delay });
            }
            Fact::StartRefused { slot, reason, delay } => {
                self.failed();
                self.events.put(Event::StartRefused { slot, reason, delay });
            }
            Fact::Suspended => {
                self.tally.suspended = true;
                warn!("no worker is ready; connections are refused until one is");
                systemd::notify_status("no worker is ready; connections are refused");
                self.events.put(Event::Suspended);
            }
            Fact::Scaled { from, to } => {
                info!(from, to, "scaled");
                self.events.put(Event::Scaled { from, to });
            }
            Fact::Stopping => {
                if self.fatal.is_none() {
                    info!("stopping");
                }
                systemd::notify_stopping();
                self.events.put(Event::Stopping);
            }
            reload => self.reloading(reload),
        }
    }

    fn reloading(&mut self, happened: supervisor::Event) {
        use supervisor::Event as Fact;
        match happened {
            Fact::ReloadStarted(generation) => {
                info!(%generation, "reload started");
                systemd::notify_reloading();
                self.events.put(Event::ReloadStarted(generation));
            }
            Fact::ReloadFinished(generation) => {
                info!(%generation, "reload finished");
                self.reload_ended(&self.status());
                self.tally.last_reload_error = None;
                self.events.put(Event::ReloadFinished(generation));
            }
            Fact::ReloadFailed(generation, why) => {
                error!(%generation, "reload failed: {why}");
                self.reload_ended(&format!("reload failed: {why}"));
                self.tally.last_reload_error = Some(why.to_string());
                self.events.put(Event::ReloadFailed(generation, why));
            }
            other => unreachable!("{other:?} is not about reloads"),
        }
    }

    /// Reports the end of a reload, unless another one follows at once or the cluster is stopping.
    fn reload_ended(&self, status: &str) {
        if !self.supervisor.stopping() && !self.reload_again {
            systemd::notify_ready(status);
        }
    }

    /// The start is complete when all workers are ready, or when some are ready and another one has
    /// failed.
    fn notify_started(&mut self) {
        let enough = match self.tally.start {
            Start::WaitsForAll => self.supervisor.desired(),
            Start::WaitsForAny => 1,
            Start::Complete => return,
        };
        if self.supervisor.ready() >= enough {
            self.tally.start = Start::Complete;
            systemd::notify_ready(&self.status());
        }
    }

    /// The line that `systemctl status` shows for a healthy cluster.
    fn status(&self) -> String {
        format!("{} workers serve on {}", self.supervisor.ready(), self.addresses.join(", "))
    }

    /// Reports that a reload was refused. Its end will never be reported, but `systemctl reload`
    /// waits for a report.
    pub(super) fn reload_refused(&self, why: &Refusal) {
        let status = format!("reload refused: {why}");
        if self.supervisor.stopping() {
            return;
        }
        systemd::notify_reloading();
        if self.supervisor.reloading().is_some() {
            systemd::notify_status(&status); // the end of the reload under way also ends this one
        } else {
            systemd::notify_ready(&status);
        }
    }

    /// A worker of a slot has failed.
    fn failed(&mut self) {
        if self.tally.start == Start::WaitsForAll {
            self.tally.start = Start::WaitsForAny;
            self.notify_started();
        }
    }

    fn listening(&mut self, worker: WorkerId) {
        info!(%worker, "worker is ready");
        self.tally.shortage.is_over();
        if std::mem::take(&mut self.tally.suspended) {
            info!("a worker is ready; connections are accepted");
            systemd::notify_status(&self.status());
        }
        let addresses = self.addresses.clone();
        self.events.put(Event::Listening(worker, addresses.clone()));
        self.notify_started();
        let workers = self.supervisor.ready();
        if !self.tally.serving && workers >= self.supervisor.desired() {
            self.tally.serving = true;
            let primary = std::process::id();
            info!(primary, workers, "serving on {}", addresses.join(", "));
            self.events.put(Event::Serving { addresses, workers });
        }
    }

    pub(super) fn exited(
        &mut self,
        worker: WorkerId,
        exit: Exit,
        voluntary: bool,
        uptime: Duration,
    ) {
        let Some(peer) = self.peers.remove(&worker) else { return }; // it was never started
        if peer.cannot_begin || self.fatal.is_some() {
            debug!(%worker, ?uptime, "worker {exit}"); // the reason was logged
        } else if voluntary {
            info!(%worker, ?uptime, "worker {exit}");
        } else {
            self.tally.crashes += 1;
            warn!(%worker, ?uptime, "worker {exit}, unannounced");
        }
        self.tally.retired_requests += peer.vitals.requests;
        let (code, signal) = match exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
            Exit::NeverStarted => (None, None),
        };
        let pid = peer.pid.as_raw().unsigned_abs();
        self.events.put(Event::Exited { worker, pid, code, signal, voluntary, uptime });
    }
}
