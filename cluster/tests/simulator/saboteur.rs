//! Supervisors that are wrong on purpose, to show that the checker notices.
//!
//! Nothing in the crate knows about this. A saboteur stands between the supervisor and the world:
//! it changes the settings of the supervisor, or its inputs and actions. Each sabotage is a mistake
//! from a supervisor that was in use.

use std::time::Duration;

use cluster::supervisor::{
    Action, Event, Generation, Input, Policy, Signal, SlotId, Supervisor, Time, WorkerId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A worker counts as ready as soon as its process is running.
    ReadyMeansStarted,
    /// The surge is one too large.
    SurgeOffByOne,
    /// The bound on draining workers is forgotten.
    AllDrain,
    /// The exit of a worker that was asked to go is not reported.
    ExpectedExitsAreSilent,
    /// The exit is reported both by the code that reaps and by the code that waits.
    ExitsTwice,
    /// Each death counts as one after a stable life.
    NoBackOff,
    /// The breaker never trips.
    NoBreaker,
    /// A slot that is backing off when the stop arrives is filled later.
    StopForgetsBackOffs,
    /// A stop ends with the order to leave.
    StopNeverKills,
    /// A newcomer replaces the old one as soon as it is ready.
    NoTrialPeriod,
    /// A restart brings up the version that is on the disk now.
    RestartBringsTheNewest,
    /// Clients wait for a worker forever.
    NeverSuspends,
    /// A worker may be silent for only half of the time that it has.
    ImpatientWithSilence,
    /// An event comes later than the action that it announces.
    EventsLag,
}

/// A supervisor, perhaps a wrong one.
pub struct Subject {
    pub supervisor: Supervisor,
    pub sabotage: Option<Sabotage>,
    /// Events that were held back.
    late: Vec<Action>,
    /// Slots that back off, each until its time.
    backing_off: Vec<(SlotId, Time)>,
    stopping: bool,
    newest: Generation,
}

impl Subject {
    pub fn new(policy: &Policy, seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut policy = policy.clone();
        match sabotage {
            Some(Sabotage::SurgeOffByOne) => policy.surge += 1,
            Some(Sabotage::AllDrain) => policy.max_draining = Some(usize::MAX),
            Some(Sabotage::NoBackOff) => policy.min_uptime = Duration::ZERO,
            Some(Sabotage::NoBreaker) => policy.max_early_deaths = u32::MAX,
            Some(Sabotage::NoTrialPeriod) => policy.min_ready = Duration::ZERO,
            Some(Sabotage::ImpatientWithSilence) => {
                policy.heartbeat = policy.heartbeat.map(|period| period / 2);
            }
            _ => {}
        }
        Self {
            supervisor: Supervisor::new(policy, seed),
            sabotage,
            late: Vec::new(),
            backing_off: Vec::new(),
            stopping: false,
            newest: Generation(1),
        }
    }

    pub fn start(&mut self, now: Time) -> Vec<Action> {
        let actions = self.supervisor.start(now);
        self.distort(now, None, actions)
    }

    pub fn step(&mut self, now: Time, input: &Input) -> Vec<Action> {
        let actions = self.supervisor.step(now, input.clone());
        self.distort(now, Some(input), actions)
    }

    fn distort(&mut self, now: Time, input: Option<&Input>, actions: Vec<Action>) -> Vec<Action> {
        match self.sabotage {
            Some(Sabotage::ReadyMeansStarted) => self.believe_starts(now, input, actions),
            Some(Sabotage::ExpectedExitsAreSilent) => without(actions, |action| {
                matches!(action, Action::Emit(Event::Exited { voluntary: true, .. }))
            }),
            Some(Sabotage::ExitsTwice) => twice(actions),
            Some(Sabotage::StopForgetsBackOffs) => self.forget_to_cancel(now, actions),
            Some(Sabotage::StopNeverKills) => {
                self.stopping |= actions.contains(&Action::Emit(Event::Stopping));
                let stopping = self.stopping;
                without(actions, |action| {
                    stopping && matches!(action, Action::Signal { signal: Signal::Kill, .. })
                })
            }
            Some(Sabotage::NeverSuspends) => {
                without(actions, |action| *action == Action::SuspendConnections)
            }
            Some(Sabotage::RestartBringsTheNewest) => self.restart_the_newest(input, actions),
            Some(Sabotage::EventsLag) => self.hold_back(actions),
            _ => actions,
        }
    }

    /// Reports every spawned worker as ready to the supervisor, and hides the report.
    fn believe_starts(
        &mut self,
        now: Time,
        input: Option<&Input>,
        mut actions: Vec<Action>,
    ) -> Vec<Action> {
        let mut next = 0;
        while next < actions.len() {
            if let Action::Spawn { worker, .. } = actions[next] {
                let mut more = self.supervisor.step(now, Input::Ready(worker));
                more.retain(|action| *action != Action::Emit(Event::Ready(worker)));
                actions.extend(more);
            }
            next += 1;
        }
        if let Some(Input::Ready(worker)) = input {
            actions.insert(0, Action::Emit(Event::Ready(*worker)));
        }
        actions
    }

    fn forget_to_cancel(&mut self, now: Time, mut actions: Vec<Action>) -> Vec<Action> {
        for action in &actions {
            match *action {
                Action::Emit(Event::BackingOff { slot, delay, .. }) => {
                    self.backing_off.push((slot, now.after(delay)));
                }
                Action::Spawn { slot, .. } => self.backing_off.retain(|(other, _)| *other != slot),
                Action::Emit(Event::Stopping) => self.stopping = true,
                _ => {}
            }
        }
        let due = self.backing_off.iter().position(|(_, at)| self.stopping && *at <= now);
        if let Some(due) = due {
            let (slot, _) = self.backing_off.remove(due);
            let (worker, generation) = (WorkerId(1_000_000), self.newest);
            actions.push(Action::Emit(Event::Spawned { worker, slot, generation }));
            actions.push(Action::Spawn { worker, slot, generation });
        }
        actions
    }

    fn restart_the_newest(&mut self, input: Option<&Input>, actions: Vec<Action>) -> Vec<Action> {
        if let Some(Input::Reload { generation, .. }) = input {
            self.newest = *generation;
        }
        let newest = self.newest;
        let renew = |action| match action {
            Action::Spawn { worker, slot, .. } => {
                Action::Spawn { worker, slot, generation: newest }
            }
            Action::Emit(Event::Spawned { worker, slot, .. }) => {
                Action::Emit(Event::Spawned { worker, slot, generation: newest })
            }
            other => other,
        };
        actions.into_iter().map(renew).collect()
    }

    fn hold_back(&mut self, actions: Vec<Action>) -> Vec<Action> {
        let is_late = |action: &Action| matches!(action, Action::Emit(Event::Draining(..)));
        let mut now = std::mem::take(&mut self.late);
        for action in actions {
            if is_late(&action) { self.late.push(action) } else { now.push(action) }
        }
        now
    }
}

fn without(mut actions: Vec<Action>, hidden: impl Fn(&Action) -> bool) -> Vec<Action> {
    actions.retain(|action| !hidden(action));
    actions
}

fn twice(actions: Vec<Action>) -> Vec<Action> {
    let again = |action: &Action| match action {
        Action::Emit(Event::Exited { .. }) => 2,
        _ => 1,
    };
    actions.into_iter().flat_map(|action| vec![action.clone(); again(&action)]).collect()
}
