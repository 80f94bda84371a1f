//! The health of workers: silence, memory, requests, age.

use super::worker::{State, in_words};
use super::{Retirement, Signal, Supervisor, Timer, Vitals, WorkerId};

impl Supervisor {
    /// Must stay cheap: a healthy cluster does this all day.
    pub(super) fn reported(&mut self, id: WorkerId, vitals: Vitals) {
        let now = self.now();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.last_report = now;
        if worker.max_requests.is_some_and(|most| vitals.requests >= most) {
            self.wants_replacement(id, Retirement::MaxRequests);
        }
    }

    pub(super) fn weighed(&mut self, id: WorkerId, bytes: u64) {
        if self.policy.memory_limit.is_some_and(|most| bytes > most) {
            self.wants_replacement(id, Retirement::MemoryLimit);
        }
    }

    pub(super) fn limit_lifetime(&mut self, id: WorkerId) {
        let worker = &self.workers[&id];
        let is_its_slots_own = self.slot(worker.slot).current() == Some(id);
        if let (true, true, Some(lifetime)) =
            (is_its_slots_own, worker.state == State::Ready, worker.max_lifetime)
        {
            self.timers.arm(Timer::Lifetime(id), worker.spawned.after(lifetime));
        }
    }

    /// The worker should have reported by now. Time in which we ourselves were not running does not
    /// count as silence, nor does the time before a report that has only just arrived.
    pub(super) fn check_silence(&mut self, id: WorkerId) {
        let worker = &self.workers[&id];
        let Some(silence) = worker.silence() else { return };
        let by = worker.last_report.max(self.resumed).after(silence);
        if by > self.now() {
            self.timers.arm(Timer::HeardBy(id), by);
        } else {
            let how = format!("sent no heartbeat for {}", in_words(silence));
            self.put_down(id, &how, Signal::Abort, self.policy.abort_grace);
        }
    }

    pub(super) fn not_ready_in_time(&mut self, id: WorkerId) {
        let (time, lacks) = (in_words(self.policy.ready_timeout), self.workers[&id].lacks());
        let how = format!("was not ready within {time}: {lacks}");
        self.put_down(id, &how, Signal::Term, self.policy.term_grace);
    }

    pub(super) fn broke(&mut self, id: WorkerId, reason: &str) {
        if self.state(id).is_some_and(|state| state != State::Dying) {
            let how = format!("broke the protocol: {reason}");
            self.put_down(id, &how, Signal::Term, self.policy.term_grace);
        }
    }
}
