//! Invariant 6: a broken new version never costs a healthy old worker; the requester gets the reason.

use std::collections::BTreeSet;

use cluster::supervisor::{Action, Event, Generation, Input, Retirement, SlotId, WorkerId};

use super::books::{Life, Phase};
use super::{Books, Checked, Rule};
use crate::world::millis;

#[derive(Default)]
pub struct ReloadRules {
    running: Option<Generation>,
    /// Versions whose programs are closed.
    forgotten: BTreeSet<Generation>,
    /// Versions whose reload failed.
    failed: BTreeSet<Generation>,
    /// Slots in which a worker of a failed version died early, and none of that version had proved
    /// itself before.
    refuted: BTreeSet<(SlotId, Generation)>,
    /// A worker of the new version died in this step.
    victim: Option<WorkerId>,
    failed_now: bool,
    stopping: bool,
}

impl ReloadRules {
    pub fn observe(&mut self, action: &Action, books: &Books) -> Checked {
        match action {
            Action::Spawn { slot, generation, .. } => {
                let known = !self.forgotten.contains(generation);
                RULE.check(known, || format!("version {generation} is closed already"))?;
                let due = self.running.is_none_or(|new| new == *generation);
                RULE.check(due, || format!("version {generation} starts during a reload"))?;
                let runs = books.alive().any(|(_, life)| {
                    life.slot == *slot && life.generation == *generation && life.ready.is_some()
                });
                let had = runs
                    || books.gone().any(|life| {
                        life.slot == *slot && life.generation == *generation && life.ready.is_some()
                    });
                RULE.check(had || !self.failed.contains(generation), || {
                    format!("version {generation} failed, and slot {slot} never ran it")
                })?;
                RULE.check(!self.refuted.contains(&(*slot, *generation)), || {
                    format!("version {generation} failed, died early in slot {slot}, and is back")
                })
            }
            Action::Forget(generation) => self.forgets(*generation, books),
            Action::Emit(event) => self.note(event, books),
            _ => Ok(()),
        }
    }

    fn note(&mut self, event: &Event, books: &Books) -> Checked {
        match *event {
            Event::Stopping => self.stopping = true,
            Event::ReloadStarted(generation) => {
                let before = self.running.replace(generation);
                return RULE.check(before.is_none(), || "two reloads at a time".to_owned());
            }
            Event::ReloadFailed(generation, ref why) => {
                let ran = self.running.take() == Some(generation);
                self.failed.insert(generation);
                self.failed_now = true;
                let named =
                    self.victim.is_none_or(|id| why.0.starts_with(&format!("worker {id} ")));
                return RULE.check(ran && named, || format!("reported the wrong reason: {why}"));
            }
            Event::ReloadFinished(generation) => return self.finished(generation, books),
            Event::Exited { worker, voluntary: false, .. } | Event::Unhealthy(worker, _) => {
                let life = books.life(worker);
                let was_counted = life.phase != Phase::Draining
                    && (life.unhealthy.is_none() || matches!(event, Event::Unhealthy(..)));
                if was_counted && self.running == Some(life.generation) {
                    self.victim = Some(worker);
                }
                if was_counted && self.failed.contains(&life.generation) {
                    self.refute(worker, books);
                }
            }
            Event::Draining(worker, why) if Books::is_replacement(why) => {
                return self.replaced(worker, why, books);
            }
            _ => {}
        }
        Ok(())
    }

    /// A worker of a failed version is gone. If it died early, its slot must not try that version again.
    fn refute(&mut self, worker: WorkerId, books: &Books) {
        let life = books.life(worker);
        let proven = |other: &Life| {
            let end = other.unhealthy.or(other.ended).unwrap_or(books.now);
            (other.slot, other.generation) == (life.slot, life.generation)
                && other.ready.is_some()
                && end - other.spawned >= millis(books.policy.min_uptime)
        };
        let lives = books.alive().map(|(_, life)| life).chain(books.gone());
        if !lives.into_iter().any(proven) {
            self.refuted.insert((life.slot, life.generation));
        }
    }

    /// An old worker is leaving: another worker must be in its slot.
    fn replaced(&self, old: WorkerId, why: Retirement, books: &Books) -> Checked {
        let slot = books.life(old).slot;
        RULE.check(why != Retirement::Reload || self.running.is_some(), || {
            format!("worker {old} leaves for a reload, and there is none")
        })?;
        let proven = books.alive().any(|(id, life)| {
            let new = *id > old && life.slot == slot && life.phase == Phase::Ready;
            let since = life.ready.map_or(0, |ready| books.now - ready);
            let right = why != Retirement::Reload || self.running == Some(life.generation);
            new && right && since >= millis(books.policy.min_ready)
        });
        RULE.check(proven, || format!("worker {old} leaves, and its successor is not proven"))
    }

    fn finished(&mut self, generation: Generation, books: &Books) -> Checked {
        let ran = self.running.take() == Some(generation);
        RULE.check(ran, || "a reload finishes that was not running".to_owned())?;
        let ready = books.alive().filter(|(_, life)| life.phase == Phase::Ready);
        let (new, old): (Vec<_>, Vec<_>) =
            ready.partition(|(_, life)| life.generation == generation);
        RULE.check(new.len() >= books.target && old.len() <= books.policy.surge, || {
            format!("finished with {} new and {} old workers ready", new.len(), old.len())
        })
    }

    fn forgets(&mut self, generation: Generation, books: &Books) -> Checked {
        let first = self.forgotten.insert(generation);
        let used = books.alive().any(|(_, life)| life.generation == generation);
        RULE.check(first && !used && self.running != Some(generation), || {
            format!("version {generation} is closed twice, or while it is in use")
        })
    }

    pub fn end_of_step(&mut self, input: Option<&Input>, books: &Books) -> Checked {
        if let Some(victim) = self.victim.take() {
            RULE.check(self.failed_now, || {
                format!("worker {victim} of the new version died, and the reload continues")
            })?;
        }
        let failed = std::mem::take(&mut self.failed_now);
        if !failed || self.stopping || matches!(input, Some(Input::Stop | Input::StopNow)) {
            return Ok(());
        }
        let there = [Phase::Starting, Phase::Ready, Phase::Dying].map(|phase| books.count(phase));
        let there: usize = there.iter().sum();
        RULE.check(there >= books.target, || {
            format!("after the reload failed {there} of {} workers are left", books.target)
        })
    }
}

const RULE: Rule = Rule::BrokenVersionHarmless;
