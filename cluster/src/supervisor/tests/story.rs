//! A small script: inputs arrive, time passes, and the actions are read like a list.

use std::time::Duration;

use crate::supervisor::{
    Action, Event, Exit, Generation, Input, Policy, RequestId, ScaleTo, Signal, SlotId, Supervisor,
    Time, Vitals, WorkerId,
};

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A cluster of `number` workers, with the default settings.
pub fn workers(number: usize) -> Policy {
    Policy { workers: number, max_workers: 8, heartbeat: None, ..Policy::default() }
}

pub struct Story {
    pub supervisor: Supervisor,
    pub now: Time,
    done: Vec<String>,
    requests: u64,
}

impl Story {
    /// Starts with workers that are not ready yet.
    pub fn starts(policy: Policy) -> Self {
        let mut supervisor = Supervisor::new(policy, 1);
        let done = lines(supervisor.start(Time::default()));
        Self { supervisor, now: Time::default(), done, requests: 0 }
    }

    /// Starts with workers that have all been ready for a minute.
    pub fn runs(policy: Policy) -> Self {
        let all = policy.workers as u64;
        let mut story = Self::starts(policy);
        for id in 1..=all {
            story.ready(id);
        }
        story.wait(seconds(60));
        story.done.clear();
        story
    }

    pub fn tell(&mut self, input: Input) -> &mut Self {
        self.done.extend(lines(self.supervisor.step(self.now, input)));
        self
    }

    pub fn ready(&mut self, id: u64) -> &mut Self {
        self.tell(Input::Ready(WorkerId(id)))
    }

    pub fn exits(&mut self, id: u64, code: i32) -> &mut Self {
        self.tell(Input::Exited(WorkerId(id), Exit::Code(code)))
    }

    pub fn is_killed(&mut self, id: u64) -> &mut Self {
        self.tell(Input::Exited(WorkerId(id), Exit::Signal(9)))
    }

    pub fn closes(&mut self, id: u64) -> &mut Self {
        self.tell(Input::StoppedAccepting(WorkerId(id)))
    }

    pub fn beats(&mut self, id: u64) -> &mut Self {
        self.tell(Input::Heartbeat(WorkerId(id), Vitals::default()))
    }

    pub fn reload(&mut self, generation: u64) -> &mut Self {
        let request = self.request();
        self.tell(Input::Reload { request, generation: Generation(generation) })
    }

    pub fn scale(&mut self, to: ScaleTo) -> &mut Self {
        let request = self.request();
        self.tell(Input::Scale { request, to })
    }

    pub fn reset(&mut self, slot: u32) -> &mut Self {
        let request = self.request();
        self.tell(Input::Reset { request, slot: SlotId(slot) })
    }

    /// Time passes, and the supervisor is woken when it has asked to be.
    pub fn wait(&mut self, time: Duration) -> &mut Self {
        let end = self.now.after(time);
        while let Some(wake) = self.supervisor.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.tell(Input::Tick);
        }
        self.now = end;
        self
    }

    /// The machine sleeps: time passes, and the supervisor is not woken.
    pub fn sleep(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.after(time);
        self.tell(Input::Tick)
    }

    /// Checks the actions since the last time, in order.
    #[track_caller]
    pub fn then(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.done), expected);
        self
    }

    /// Returns the actions since the last time.
    pub fn done(&mut self) -> Vec<String> {
        std::mem::take(&mut self.done)
    }

    fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }
}

fn lines(actions: Vec<Action>) -> Vec<String> {
    actions.into_iter().filter_map(line).collect()
}

/// One action as a line; `None` for an action that repeats the one next to it.
fn line(action: Action) -> Option<String> {
    Some(match action {
        Action::Spawn { worker, slot, generation } => {
            format!("spawn {worker} in slot {slot}, version {generation}")
        }
        Action::Drain { worker, window, .. } if window.is_zero() => format!("hurry {worker}"),
        Action::Drain { .. }
        | Action::Accept(_)
        | Action::ServeOn(_)
        | Action::Signal { signal: Signal::Term, .. }
        | Action::Emit(Event::Spawned { .. } | Event::Ready(_)) => return None,
        Action::Signal { worker, signal } => format!("{signal:?} {worker}"),
        Action::Cut(worker) => format!("cut {worker}"),
        Action::RefuseConnections => "refuse connections".to_owned(),
        Action::SuspendConnections => "suspend connections".to_owned(),
        Action::Reply { request, result: Ok(number) } => format!("tell {}: {number}", request.0),
        Action::Reply { request, result: Err(why) } => format!("tell {}: {why}", request.0),
        Action::Forget(generation) => format!("forget version {generation}"),
        Action::Finished => "finished".to_owned(),
        Action::Emit(event) => event_line(event),
    })
}

fn event_line(event: Event) -> String {
    match event {
        Event::Draining(worker, why) => format!("drain {worker} ({why:?})"),
        Event::Disconnected(worker) => format!("{worker} accepts no more"),
        Event::Unhealthy(worker, why) => format!("{worker} {why}"),
        Event::Exited { worker, exit, voluntary: true, .. } => format!("{worker} left: {exit}"),
        Event::Exited { worker, exit, .. } => format!("{worker} crashed: {exit}"),
        Event::BackingOff { slot, failures, .. } => {
            format!("slot {slot} backs off, death {failures}")
        }
        Event::Errored { slot, failures, .. } => format!("slot {slot} errored, death {failures}"),
        Event::StartRefused { slot, .. } => format!("slot {slot} finds no room"),
        Event::Suspended => "no worker for long".to_owned(),
        Event::ReloadStarted(generation) => format!("reload to {generation}"),
        Event::ReloadFinished(generation) => format!("reloaded to {generation}"),
        Event::ReloadFailed(generation, _) => format!("reload to {generation} failed"),
        Event::Scaled { from, to } => format!("from {from} to {to}"),
        Event::Stopping => "stopping".to_owned(),
        other => format!("{other:?}"),
    }
}
