//! The supervisor: every decision about workers, and nothing else.
//!
//! It is a state machine without I/O, clock or randomness of its own. The driver
//! ([`primary`](crate::primary)) passes it each event and the time; it returns the actions to
//! perform. So a simulator can run it through thousands of random worlds in seconds.
//!
//! It promises, after every step (`tests/simulator` checks exactly this):
//!
//! 1. It never retires a ready worker on its own if that leaves fewer ready than desired.
//! 2. Starting and ready workers never exceed desired + surge. Draining ones are counted
//!    separately, and it lets no more drain than [`Policy::max_draining`] allows.
//! 3. Each process that was spawned is seen to exit exactly once.
//! 4. A crash loop spawns at a bounded rate.
//! 5. After a stop nothing is spawned, and everything is gone by the deadline.
//! 6. A broken new version never costs a healthy old worker; the requester gets the reason.
//! 7. Each worker's events are a legal path: spawned, ready, draining, exited; any state may go
//!    to exited.
//!
//! A guide to the code: a `Slot` is a place, a `Worker` a process in it. A slot has at most one
//! worker of its own, and perhaps a newcomer that will replace it. `life` starts and ends workers,
//! `retire` makes them leave, `replace` lets a newcomer take over. `reload`, `scale`, `health`,
//! `outage` and `stop` decide when. Nothing is searched: sets hold the slots that wait for something,
//! so that a step costs O(log n).

mod action;
mod clock;
mod dice;
mod event;
mod health;
mod ids;
mod input;
mod life;
mod outage;
mod policy;
mod probation;
mod programs;
mod reload;
mod replace;
mod restart;
mod retire;
mod scale;
mod slot;
mod stop;
mod timers;
mod view;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use action::{Action, Signal};
use clock::Clock;
use dice::Dice;
pub use event::{Event, Exit, Retirement};
pub use ids::{Generation, RequestId, SlotId, Time, WorkerId};
pub use input::{Input, Refusal, ScaleTo, Vitals};
use outage::Outage;
pub use policy::Policy;
use programs::Programs;
use reload::Reload;
use slot::Slot;
use stop::Stop;
use timers::{Timer, Timers};
pub use view::{SlotState, SlotView, WorkerView};
pub use worker::State as WorkerState;
use worker::{Counts, Worker};

/// A step is wanted at least this often while a timer is set.
const PULSE: Duration = Duration::from_secs(5);

/// The state of the whole cluster, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    policy: Policy,
    clock: Clock,
    dice: Dice,
    timers: Timers,
    /// Every process that has not been seen to exit.
    workers: BTreeMap<WorkerId, Worker>,
    counts: Counts,
    last_worker: WorkerId,
    /// All slots that ever existed; the index is the id.
    slots: Vec<Slot>,
    /// The slots in use. Their number is the number of workers desired.
    used: BTreeSet<SlotId>,
    unused: BTreeSet<SlotId>,
    /// The number of workers requested. The number desired follows: up at once, down as far as the
    /// limit on draining workers allows.
    target: usize,
    /// The target that was last announced.
    announced: usize,
    programs: Programs,
    /// The version for slots that are added: the one that the last finished reload brought.
    version: Generation,
    /// Slots with a newcomer.
    newcomers: BTreeSet<SlotId>,
    /// The ones whose newcomer can be trusted, so that the old worker may leave.
    ripe: BTreeSet<SlotId>,
    /// Ready workers without a slot, which leave as soon as the first invariant allows it.
    surplus: BTreeMap<WorkerId, Retirement>,
    /// Slots whose planned replacement may begin.
    replacing: BTreeSet<SlotId>,
    reload: Option<Reload>,
    stop: Option<Stop>,
    /// The outage under way: no worker accepts connections.
    outage: Option<Outage>,
    /// The time when we last learned that we had not been running: silence before it proves nothing.
    resumed: Time,
    /// The decisions made so far in the current step.
    #[serde(skip)]
    actions: Vec<Action>,
}

impl Supervisor {
    /// A cluster that has no workers yet; see [`start`](Self::start). Equal seeds make equal choices
    /// (delays, jitter).
    #[must_use]
    pub fn new(policy: Policy, seed: u64) -> Self {
        let version = Generation(1);
        let mut programs = Programs::default();
        programs.hold(version);
        Self {
            clock: Clock::default(),
            dice: Dice::new(seed),
            timers: Timers::default(),
            workers: BTreeMap::new(),
            counts: Counts::default(),
            last_worker: WorkerId(0),
            slots: Vec::new(),
            used: BTreeSet::new(),
            unused: BTreeSet::new(),
            target: policy.workers,
            announced: policy.workers,
            programs,
            version,
            newcomers: BTreeSet::new(),
            ripe: BTreeSet::new(),
            surplus: BTreeMap::new(),
            replacing: BTreeSet::new(),
            reload: None,
            stop: None,
            outage: None,
            resumed: Time::default(),
            actions: Vec::new(),
            policy,
        }
    }

    /// Starts a worker of generation 1 for each slot. Must be called once, before any step.
    pub fn start(&mut self, now: Time) -> Vec<Action> {
        self.clock.advance(now, None, Duration::ZERO);
        self.settle();
        std::mem::take(&mut self.actions)
    }

    /// Takes in an input at `now`, and returns the actions to perform, in order.
    ///
    /// Inputs about workers that are gone are ignored. Timers take effect on [`Input::Tick`] only,
    /// so the driver can first hand in the inputs that have already arrived.
    pub fn step(&mut self, now: Time, input: Input) -> Vec<Action> {
        let tolerance = clock::tolerance(self.policy.heartbeat);
        if self.clock.advance(now, self.due(), tolerance) {
            self.resumed = self.clock.now();
        }
        self.take(input);
        self.settle();
        std::mem::take(&mut self.actions)
    }

    /// The time on the driver's clock at which [`Input::Tick`] is wanted. It may already have passed.
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        self.due().map(|at| self.clock.on_the_drivers(at))
    }

    /// Changes the settings. They take effect with the next step; workers that are already running
    /// keep the limits that they were started with. The number of workers stays as it was scaled,
    /// within the new limits, unless the setting itself has changed.
    pub fn set_policy(&mut self, policy: Policy) {
        self.target = if policy.workers == self.policy.workers {
            self.target.max(policy.min_workers).min(policy.max_workers)
        } else {
            policy.workers
        };
        self.policy = policy;
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Tick => self.tick(),
            Input::SpawnFailed { worker, reason, shortage } => {
                self.never_started(worker, &reason, shortage);
            }
            Input::CannotBegin { worker, reason, shortage } => {
                self.cannot_begin(worker, reason, shortage);
            }
            Input::WaitsFor(worker, listeners) => self.waits_for(worker, listeners),
            Input::Ready(worker) => self.became_ready(worker),
            Input::Heartbeat(worker, vitals) => self.reported(worker, vitals),
            Input::Memory(worker, bytes) => self.weighed(worker, bytes),
            Input::StoppedAccepting(worker) => self.stopped_accepting(worker),
            Input::Leaving(worker) => self.leaves(worker),
            Input::Terminated(worker) => self.terminated(worker),
            Input::Broken(worker, reason) => self.broke(worker, &reason),
            Input::Exited(worker, exit) => self.exited(worker, exit),
            Input::Reload { request, generation } => self.reload_wanted(request, generation),
            Input::Scale { request, to } => self.scale_wanted(request, to),
            Input::Reset { request, slot } => self.reset_wanted(request, slot),
            Input::Stop => self.stop_wanted(),
            Input::StopNow => self.stop_at_once(),
        }
    }

    /// Handles every timer that is due by now.
    fn tick(&mut self) {
        while let Some(timer) = self.timers.pop(self.clock.now()) {
            match timer {
                Timer::ReadyBy(worker) => self.not_ready_in_time(worker),
                Timer::Trusted(worker) => self.trust(worker),
                Timer::HeardBy(worker) => self.check_silence(worker),
                Timer::Lifetime(worker) => self.wants_replacement(worker, Retirement::MaxLifetime),
                Timer::DrainedBy(worker) => self.cut(worker),
                Timer::Stable(worker) => self.stable(worker),
                Timer::KillAt(worker) => self.signal(worker, Signal::Kill),
                Timer::Restart(slot) => self.fill(slot),
                Timer::Replace(slot) => self.replace_now(slot),
                Timer::RefuseAt => self.refuse_connections(),
                Timer::CutAllAt => self.cut_all(),
                Timer::OutageAt => {} // `settle` handles it
                Timer::KillAllAt => self.kill_all(),
            }
        }
    }

    /// Continues all work under way, as far as the invariants allow now.
    fn settle(&mut self) {
        if self.stop.is_some() {
            self.go_on_stopping();
            return;
        }
        self.follow_target();
        self.open_gate();
        self.go_on_reloading();
        self.begin_replacements();
        self.watch_outage();
    }

    /// The time at which a step is wanted. While a timer is set, a step is wanted from time to time
    /// even if none is due: the more often we are called, the better we know for how long we were not
    /// running.
    fn due(&self) -> Option<Time> {
        let pulse = self.policy.heartbeat.unwrap_or(PULSE).min(PULSE);
        self.timers.next().map(|at| at.min(self.now().after(pulse)))
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn slot(&self, slot: SlotId) -> &Slot {
        &self.slots[slot.0 as usize]
    }

    fn slot_mut(&mut self, slot: SlotId) -> &mut Slot {
        &mut self.slots[slot.0 as usize]
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn emit(&mut self, event: Event) {
        self.actions.push(Action::Emit(event));
    }

    fn reply(&mut self, request: RequestId, result: Result<usize, Refusal>) {
        self.actions.push(Action::Reply { request, result });
    }

    fn release(&mut self, generation: Generation) {
        if self.programs.release(generation) {
            self.act(Action::Forget(generation));
        }
    }
}

#[cfg(test)]
mod tests;
