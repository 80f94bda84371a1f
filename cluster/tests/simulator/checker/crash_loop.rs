//! Invariant 4: a crash loop spawns at a bounded rate.
//!
//! From outside: after an early death a slot is filled again only when a back-off was announced
//! and has passed; the announced delays stay below a bound that doubles; and after so many in a row
//! nothing is spawned. A wish of somebody (reload, reset, scaling) starts the count again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::supervisor::{Action, Event, Generation, Retirement, SlotId, WorkerId};

use super::books::{Life, Phase};
use super::{Books, Checked, Rule};
use crate::world::{Millis, millis};

#[derive(Default)]
pub struct CrashLoops {
    debts: BTreeMap<SlotId, Debt>,
    /// During a reload: the slots that it has filled at once although their worker died early. The
    /// new version gets this one chance; its death ends the reload.
    chances: Option<BTreeSet<SlotId>>,
    /// Newcomers that will not take over.
    surplus: BTreeSet<WorkerId>,
}

/// What stands between a slot and its next worker.
#[derive(Default)]
struct Debt {
    /// An early death for which no back-off was announced yet.
    unpaid: bool,
    /// Early deaths in a row.
    in_a_row: u32,
    blocked_until: Millis,
    /// The same for a newcomer beside a worker that is ready.
    replacement_blocked_until: Millis,
    errored: bool,
}

impl CrashLoops {
    pub fn observe(&mut self, action: &Action, books: &Books) -> Checked {
        match action {
            Action::Spawn { slot, .. } => self.spawned(*slot, books),
            // Somebody's wish was granted, or a reload gave its slots back.
            Action::Reply { result: Ok(_), .. } => self.forgive(),
            Action::Emit(event) => self.heard(event, books),
            _ => Ok(()),
        }
    }

    fn heard(&mut self, event: &Event, books: &Books) -> Checked {
        match *event {
            Event::ReloadStarted(_) => {
                self.chances = Some(BTreeSet::new());
                self.forgive()
            }
            Event::ReloadFailed(new, _) => {
                self.find_surplus(books, new);
                self.chances = None;
                self.forgive()
            }
            Event::Draining(worker, Retirement::ScaleDown) => {
                let slot = books.life(worker).slot;
                let ready = |life: &Life| life.slot == slot && life.phase == Phase::Ready;
                self.surplus
                    .extend(books.alive().filter(|(_, life)| ready(life)).map(|(id, _)| id));
                Ok(())
            }
            Event::ReloadFinished(_) => {
                self.chances = None;
                self.forgive()
            }
            Event::Scaled { .. } => self.forgive(),
            Event::Exited { worker, voluntary, .. } => {
                let life = books.life(worker);
                if !life.drained && life.unhealthy.is_none() {
                    self.ended(worker, voluntary, books);
                }
                Ok(())
            }
            Event::Unhealthy(worker, _) => {
                if !books.life(worker).drained {
                    self.ended(worker, false, books);
                }
                Ok(())
            }
            Event::Draining(worker, Retirement::OwnWish) => {
                self.ended(worker, true, books);
                Ok(())
            }
            Event::Draining(worker, why) if Books::is_replacement(why) => {
                self.debts.remove(&books.life(worker).slot);
                Ok(())
            }
            Event::BackingOff { slot, failures, delay } => {
                self.backs_off(slot, failures, delay, books)
            }
            Event::Errored { slot, failures } => {
                self.debts.entry(slot).or_default().errored = true;
                let most = books.policy.max_early_deaths;
                Rule::BoundedCrashLoop.check(failures == most, || {
                    format!("slot {slot} is errored after {failures} deaths, not {most}")
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether the slot has a ready worker of its own.
    fn is_held(&self, slot: SlotId, books: &Books) -> bool {
        let own = |id, life: &Life| life.phase == Phase::Ready && !self.surplus.contains(id);
        books.alive().any(|(id, life)| life.slot == slot && own(id, life))
    }

    /// Newcomers of a version that has failed do not count for their slot from now on, where the
    /// old worker still stands.
    fn find_surplus(&mut self, books: &Books, failed: Generation) {
        let candidates = books
            .alive()
            .filter(|(_, life)| life.generation == failed && life.phase == Phase::Ready);
        for (id, life) in candidates {
            let stands = |(other, old): (&WorkerId, &Life)| {
                let serves = old.phase == Phase::Starting || old.phase == Phase::Ready;
                serves && other < id && old.slot == life.slot && !self.surplus.contains(other)
            };
            if books.alive().any(stands) {
                self.surplus.insert(*id);
            }
        }
    }

    fn ended(&mut self, worker: WorkerId, voluntary: bool, books: &Books) {
        if self.surplus.contains(&worker) {
            return;
        }
        let life = books.life(worker);
        let debt = self.debts.entry(life.slot).or_default();
        let lived = books.now - life.spawned;
        if life.ready.is_none() || lived < millis(books.policy.min_uptime) {
            // When the slot waits already, this one was not its own.
            debt.unpaid |= !voluntary && books.now >= debt.blocked_until;
            return;
        }
        debt.unpaid = false;
        debt.blocked_until = 0;
        // After a pause we cannot tell whether the count was cleared, too.
        if books.slept == 0 {
            debt.in_a_row = 0;
        }
    }

    fn backs_off(&mut self, slot: SlotId, nth: u32, delay: Duration, books: &Books) -> Checked {
        let replaces = self.is_held(slot, books);
        let (policy, debt) = (&books.policy, self.debts.entry(slot).or_default());
        let doubled =
            policy.restart_delay * 2_u32.saturating_pow(nth.saturating_sub(1)).min(1 << 20);
        let most = doubled.min(policy.restart_delay_max);
        debt.unpaid = false;
        Rule::BoundedCrashLoop.check(delay <= most, || {
            format!("slot {slot}: back-off {nth} is {delay:?}, at most {most:?}")
        })?;
        let until = books.now + millis(delay);
        if replaces {
            // What failed is its replacement; that is counted apart, for ever.
            debt.replacement_blocked_until = until;
            return Ok(());
        }
        debt.blocked_until = until;
        // After a pause we cannot tell whether a life was long enough to clear the count.
        let grows = nth > debt.in_a_row || nth == 1 && books.slept > 0;
        debt.in_a_row = nth;
        Rule::BoundedCrashLoop.check(grows && nth < policy.max_early_deaths, || {
            format!("slot {slot} backs off for the death number {nth} in a row")
        })
    }

    fn spawned(&mut self, slot: SlotId, books: &Books) -> Checked {
        let held = self.is_held(slot, books);
        let Some(debt) = self.debts.get(&slot) else { return Ok(()) };
        if let Some(chances) = self.chances.as_mut().filter(|_| debt.unpaid) {
            self.debts.remove(&slot);
            return Rule::BoundedCrashLoop.check(chances.insert(slot), || {
                format!("slot {slot} is filled at once a second time in a reload")
            });
        }
        let excused = stands(slot, books);
        Rule::BoundedCrashLoop.check(!debt.errored, || format!("slot {slot} was given up"))?;
        Rule::BoundedCrashLoop.check(excused || !debt.unpaid, || {
            format!("slot {slot} is filled at once after an early death")
        })?;
        let until = if held { debt.replacement_blocked_until } else { debt.blocked_until };
        Rule::BoundedCrashLoop
            .check(books.now >= until, || format!("slot {slot} backs off until {until} ms"))
    }

    #[allow(clippy::unnecessary_wraps)] // Reads better where it is called.
    fn forgive(&mut self) -> Checked {
        self.debts.clear();
        Ok(())
    }
}

/// Whether a worker of this slot has proved to be stable.
fn stands(slot: SlotId, books: &Books) -> bool {
    let stable = millis(books.policy.min_uptime);
    books.alive().any(|(_, life)| {
        let served = life.phase == Phase::Ready || life.phase == Phase::Draining;
        life.slot == slot && served && books.now - life.spawned >= stable
    })
}
