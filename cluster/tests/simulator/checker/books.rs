//! The living workers and their phases, according to the events; invariants 3 and 7.

use std::collections::BTreeMap;

use cluster::supervisor::{
    Action, Event, Exit, Generation, Input, Policy, Retirement, SlotId, WorkerId,
};

use super::{Checked, Rule};
use crate::world::{Millis, millis, time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Starting,
    Ready,
    Draining,
    /// Given up: it is being killed.
    Dying,
}

pub struct Life {
    pub slot: SlotId,
    pub generation: Generation,
    pub phase: Phase,
    pub spawned: Millis,
    pub ready: Option<Millis>,
    pub reported: Millis,
    /// The time at which the supervisor reported that the worker is hung or broken.
    pub unhealthy: Option<Millis>,
    pub drained: bool,
    /// The time at which it was gone.
    pub ended: Option<Millis>,
    started: bool,
    disconnected: bool,
}

pub struct Books {
    pub now: Millis,
    pub policy: Policy,
    /// The most recently requested number of workers.
    pub target: usize,
    alive: BTreeMap<WorkerId, Life>,
    gone: BTreeMap<WorkerId, Life>,
    /// The number of living workers in each phase.
    counts: [usize; 4],
    /// The sum of all pauses.
    pub slept: Millis,
    /// The end of the last pause.
    woke: Millis,
    /// The worker that was reported ready in this step.
    ready_input: Option<WorkerId>,
    /// The worker that was reported gone in this step, until its event has arrived.
    exit_input: Option<(WorkerId, Exit)>,
}

impl Books {
    pub fn new(policy: Policy) -> Self {
        Self {
            now: 0,
            target: policy.workers,
            policy,
            alive: BTreeMap::new(),
            gone: BTreeMap::new(),
            counts: [0; 4],
            slept: 0,
            woke: 0,
            ready_input: None,
            exit_input: None,
        }
    }

    pub fn slept(&mut self, time: Millis) {
        // The pause may have begun at any time between the two steps; deadlines may shift by that
        // additional amount.
        self.slept += time + 5000;
        self.woke = self.now + time;
    }

    pub fn count(&self, phase: Phase) -> usize {
        self.counts[phase as usize]
    }

    pub fn alive(&self) -> impl Iterator<Item = (&WorkerId, &Life)> {
        self.alive.iter()
    }

    pub fn gone(&self) -> impl Iterator<Item = &Life> {
        self.gone.values()
    }

    /// Workers whose clients are served: ready, or draining and not closed yet.
    pub fn accepting(&self) -> usize {
        let closing = |life: &&Life| life.phase == Phase::Draining && !life.disconnected;
        self.count(Phase::Ready) + self.alive.values().filter(closing).count()
    }

    pub fn is_alive(&self, worker: WorkerId) -> bool {
        self.alive.contains_key(&worker)
    }

    /// A worker that was spawned, alive or gone.
    pub fn life(&self, worker: WorkerId) -> &Life {
        self.alive.get(&worker).unwrap_or_else(|| &self.gone[&worker])
    }

    pub fn is(&self, worker: WorkerId, phase: Phase) -> bool {
        self.alive.get(&worker).is_some_and(|life| life.phase == phase)
    }

    pub fn note_input(&mut self, input: &Input) {
        self.ready_input = None;
        self.exit_input = None;
        match *input {
            Input::Ready(worker) => self.ready_input = Some(worker),
            Input::Exited(worker, exit) => self.note_exit(worker, exit),
            Input::SpawnFailed { worker, .. } => self.note_exit(worker, Exit::NeverStarted),
            Input::Heartbeat(worker, _) => {
                if let Some(life) = self.alive.get_mut(&worker) {
                    life.reported = self.now;
                }
            }
            _ => {}
        }
    }

    fn note_exit(&mut self, worker: WorkerId, exit: Exit) {
        if self.is_alive(worker) {
            self.exit_input = Some((worker, exit));
        }
    }

    pub fn note_action(&mut self, action: &Action) -> Checked {
        match action {
            Action::Spawn { worker, .. } => self.started(*worker),
            Action::Drain { worker, .. } => {
                let drains = self.is(*worker, Phase::Draining) || self.is(*worker, Phase::Dying);
                Rule::LegalPath.check(drains, || format!("worker {worker} was not asked to drain"))
            }
            Action::Cut(worker) => {
                let alive = self.is_alive(*worker);
                Rule::LegalPath.check(alive, || format!("an order to {worker}, which is gone"))
            }
            Action::Signal { worker, .. } => {
                let alive = self.is_alive(*worker);
                Rule::LegalPath.check(alive, || format!("a signal to {worker}, which is gone"))?;
                self.moves(*worker, &[Phase::Starting, Phase::Ready], Phase::Dying);
                Ok(())
            }
            Action::Emit(event) => self.note_event(event),
            _ => Ok(()),
        }
    }

    fn note_event(&mut self, event: &Event) -> Checked {
        match *event {
            Event::Spawned { worker, slot, generation } => self.spawned(worker, slot, generation),
            Event::Ready(worker) => {
                let said = self.ready_input.take() == Some(worker);
                let legal = said && self.moves(worker, &[Phase::Starting], Phase::Ready);
                if let Some(life) = self.alive.get_mut(&worker) {
                    (life.ready, life.reported) = (Some(self.now), self.now);
                }
                Rule::LegalPath.check(legal, || format!("worker {worker} is not ready"))
            }
            Event::Draining(worker, _) => {
                let legal = self.moves(worker, &[Phase::Ready], Phase::Draining);
                if let Some(life) = self.alive.get_mut(&worker) {
                    life.drained = true;
                }
                Rule::LegalPath.check(legal, || format!("worker {worker} cannot drain"))
            }
            Event::Disconnected(worker) => {
                let draining = self.is(worker, Phase::Draining);
                let life = self.alive.get_mut(&worker).filter(|life| !life.disconnected);
                let legal = draining && life.map(|life| life.disconnected = true).is_some();
                Rule::LegalPath.check(legal, || format!("worker {worker} cannot disconnect"))
            }
            Event::Unhealthy(worker, ref why) => self.unhealthy(worker, why),
            Event::Exited { worker, exit, uptime, .. } => {
                let seen = self.exit_input.take() == Some((worker, exit));
                Rule::EachExitOnce
                    .check(seen, || format!("no input reported that worker {worker} {exit}"))?;
                let life =
                    self.alive.remove(&worker).expect("an exit is noted for living workers only");
                self.counts[life.phase as usize] -= 1;
                let truth = self.now - life.spawned;
                self.gone.insert(worker, Life { ended: Some(self.now), ..life });
                Rule::ViewsAgree.check(uptime <= time(truth).0, || {
                    format!("worker {worker} lived {truth} ms, not {uptime:?}")
                })
            }
            Event::Scaled { to, .. } => {
                self.target = to;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn spawned(&mut self, worker: WorkerId, slot: SlotId, generation: Generation) -> Checked {
        let life = Life {
            slot,
            generation,
            phase: Phase::Starting,
            spawned: self.now,
            ready: None,
            reported: self.now,
            unhealthy: None,
            drained: false,
            ended: None,
            started: false,
            disconnected: false,
        };
        let known = self.gone.contains_key(&worker) || self.alive.insert(worker, life).is_some();
        self.counts[Phase::Starting as usize] += usize::from(!known);
        Rule::LegalPath.check(!known, || format!("worker {worker} is spawned twice"))
    }

    fn started(&mut self, worker: WorkerId) -> Checked {
        let life = self.alive.get_mut(&worker).filter(|life| !life.started);
        let announced = life.map(|life| life.started = true).is_some();
        Rule::LegalPath.check(announced, || format!("worker {worker} starts unannounced, or twice"))
    }

    fn unhealthy(&mut self, worker: WorkerId, why: &str) -> Checked {
        self.moves(worker, &[Phase::Starting, Phase::Ready], Phase::Dying);
        let Some(life) = self.alive.get_mut(&worker) else {
            return Rule::LegalPath.check(false, || format!("worker {worker} is already gone"));
        };
        life.unhealthy = Some(self.now);
        let Some(period) = self.policy.heartbeat.filter(|_| why.contains("sent no heartbeat"))
        else {
            return Ok(());
        };
        let silent = self.now - life.reported.max(self.woke);
        Rule::SparesTheSilenced.check(silent >= 2 * millis(period), || {
            format!("worker {worker} was silent for only {silent} ms")
        })
    }

    /// True if the worker was in one of the phases `from`, and is now in `to`.
    fn moves(&mut self, worker: WorkerId, from: &[Phase], to: Phase) -> bool {
        let life = self.alive.get_mut(&worker).filter(|life| from.contains(&life.phase));
        let Some(life) = life else { return false };
        self.counts[life.phase as usize] -= 1;
        self.counts[to as usize] += 1;
        life.phase = to;
        true
    }

    pub fn end_of_step(&self) -> Checked {
        Rule::EachExitOnce.check(self.exit_input.is_none(), || {
            format!("no event reported that {:?} is gone", self.exit_input)
        })
    }

    /// Returns true if a worker that goes for this reason is replaced by a newcomer.
    pub fn is_replacement(why: Retirement) -> bool {
        use Retirement::{MaxLifetime, MaxRequests, MemoryLimit, Reload, Terminated};
        matches!(why, Reload | MemoryLimit | MaxRequests | MaxLifetime | Terminated)
    }
}
