//! Invariant 4: a crash loop spawns at a bounded rate.
//!
//! From outside: after an early death a slot is filled again only after a back-off was announced
//! and has passed; the announced delays stay below a bound that doubles; and from the limit of early
//! deaths in a row on, each delay is the maximum. A request (reload, reset, scaling) restarts the
//! count, and so does a slot that gives up a version whose reload has failed. A refusal of the
//! kernel has its own delay, and does not count.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::supervisor::{Action, Event, Generation, Retirement, SlotId, WorkerId};

use super::places::{Places, Role};
use super::{Books, Checked, Rule};
use crate::world::{Millis, millis};

#[derive(Default)]
pub struct CrashLoops {
    places: Places,
    /// The debt of a slot before its next worker.
    debts: BTreeMap<SlotId, Debt>,
    /// The same for a newcomer alongside the slot's worker, in a planned replacement.
    replacements: BTreeMap<SlotId, Debt>,
    /// During a reload: the slots that it has filled at once although their worker died early. The
    /// new version gets this one chance; its death ends the reload.
    chances: Option<BTreeSet<SlotId>>,
    /// Versions whose reload failed. A slot that gives up one of them is also filled at once.
    failed: BTreeSet<Generation>,
}

#[derive(Default)]
struct Debt {
    /// An early death for which no back-off has been announced yet.
    unpaid: bool,
    /// The version that died.
    died: Option<Generation>,
    /// Early deaths in a row.
    in_a_row: u32,
    blocked_until: Millis,
}

impl CrashLoops {
    pub fn observe(&mut self, action: &Action, books: &Books) -> Checked {
        let checked = match action {
            Action::Spawn { slot, generation, .. } => self.spawned(*slot, *generation, books),
            Action::Emit(Event::BackingOff { slot, failures, delay }) => {
                self.backs_off(*slot, *failures, *delay, books)
            }
            Action::Emit(Event::Errored { slot, failures, delay }) => {
                self.errored(*slot, *failures, *delay, books)
            }
            Action::Emit(Event::StartRefused { slot, delay, .. }) => {
                self.refused(*slot, *delay, books)
            }
            Action::Emit(event) => {
                self.note(event, books);
                Ok(())
            }
            // A request was granted.
            Action::Reply { result: Ok(_), .. } => {
                self.forgive();
                Ok(())
            }
            _ => Ok(()),
        };
        self.places.observe(action, books);
        checked
    }

    fn note(&mut self, event: &Event, books: &Books) {
        match *event {
            Event::ReloadStarted(_) => {
                self.chances = Some(BTreeSet::new());
                self.forgive();
            }
            Event::ReloadFailed(generation, _) => {
                self.failed.insert(generation);
                self.chances = None;
                self.forgive();
            }
            Event::ReloadFinished(_) => {
                self.chances = None;
                self.forgive();
            }
            Event::Scaled { .. } => self.forgive(),
            Event::Exited { worker, voluntary, .. } => self.ended(worker, voluntary, books),
            Event::Unhealthy(worker, _) => self.ended(worker, false, books),
            Event::Draining(worker, Retirement::OwnWish) => self.ended(worker, true, books),
            Event::Draining(worker, why) if Books::is_replacement(why) => {
                let slot = books.life(worker).slot;
                self.debts.remove(&slot);
                self.replacements.remove(&slot);
            }
            _ => {}
        }
    }

    fn ended(&mut self, worker: WorkerId, voluntary: bool, books: &Books) {
        let life = books.life(worker);
        let lived = books.now - life.spawned;
        let early = life.ready.is_none() || lived < millis(books.policy.min_uptime);
        match self.places.role(worker, life.slot) {
            Role::Neither => {}
            // The newcomer takes its place; a life that was long enough has cleared the count.
            Role::Owner { has_newcomer: true } => {
                if !early {
                    self.debts.entry(life.slot).or_default().in_a_row = 0;
                }
            }
            Role::Newcomer => {
                self.replacements.entry(life.slot).or_default().unpaid = early && !voluntary;
            }
            Role::Owner { has_newcomer: false } => {
                self.replacements.remove(&life.slot);
                let debt = self.debts.entry(life.slot).or_default();
                debt.unpaid = early && !voluntary;
                debt.died = Some(life.generation);
                // After a pause we cannot tell whether the count was cleared.
                if !early && books.slept == 0 {
                    debt.in_a_row = 0;
                }
            }
        }
    }

    fn backs_off(&mut self, slot: SlotId, nth: u32, delay: Duration, books: &Books) -> Checked {
        let policy = &books.policy;
        let at_the_limit = nth > policy.max_early_deaths && !self.places.is_held(slot);
        let doubled = 2_u32.saturating_pow(nth.saturating_sub(1)).min(1 << 20);
        let most = (policy.restart_delay * doubled).min(policy.restart_delay_max);
        Rule::BoundedCrashLoop.check(delay <= most || at_the_limit, || {
            format!("slot {slot}: back-off {nth} is {delay:?}, at most {most:?}")
        })?;
        let until = books.now + millis(delay);
        if self.places.is_held(slot) {
            // Its replacement has failed, and is retried forever at a bounded rate.
            let debt = self.replacements.entry(slot).or_default();
            (debt.unpaid, debt.blocked_until) = (false, until);
            return Ok(());
        }
        let debt = self.debts.entry(slot).or_default();
        let grows = nth > debt.in_a_row || nth == 1 && books.slept > 0;
        (debt.unpaid, debt.blocked_until, debt.in_a_row) = (false, until, nth);
        let legal = match nth.cmp(&policy.max_early_deaths) {
            Ordering::Less => true,
            Ordering::Equal => false, // this is reported as an error
            Ordering::Greater => delay == policy.restart_delay_max,
        };
        Rule::BoundedCrashLoop.check(grows && legal, || {
            format!("slot {slot} backs off for {delay:?} at death number {nth} in a row")
        })
    }

    /// The kernel had no room: the attempt needs a delay, and nothing else.
    fn refused(&mut self, slot: SlotId, delay: Duration, books: &Books) -> Checked {
        let most = books.policy.restart_delay_max;
        let held = self.places.is_held(slot);
        let debts = if held { &mut self.replacements } else { &mut self.debts };
        let debt = debts.entry(slot).or_default();
        (debt.unpaid, debt.blocked_until) = (false, books.now + millis(delay));
        Rule::BoundedCrashLoop.check(delay <= most, || format!("slot {slot} waits for {delay:?}"))
    }

    fn errored(&mut self, slot: SlotId, nth: u32, delay: Duration, books: &Books) -> Checked {
        let debt = self.debts.entry(slot).or_default();
        let until = books.now + millis(delay);
        (debt.unpaid, debt.blocked_until, debt.in_a_row) = (false, until, nth);
        let most = books.policy.max_early_deaths;
        let legal = nth == most && delay == books.policy.restart_delay_max;
        Rule::BoundedCrashLoop.check(legal, || {
            format!("slot {slot} is errored after {nth} deaths, not {most}, for {delay:?}")
        })
    }

    fn spawned(&mut self, slot: SlotId, generation: Generation, books: &Books) -> Checked {
        let held = self.places.is_held(slot);
        let debts = if held { &mut self.replacements } else { &mut self.debts };
        let Some(debt) = debts.get_mut(&slot) else { return Ok(()) };
        let given_up = debt.died.filter(|died| *died != generation && self.failed.contains(died));
        if given_up.is_some() {
            debts.remove(&slot);
            return Ok(());
        }
        if let Some(chances) = self.chances.as_mut().filter(|_| debt.unpaid) {
            debt.unpaid = false;
            return Rule::BoundedCrashLoop.check(chances.insert(slot), || {
                format!("slot {slot} is filled at once a second time during a reload")
            });
        }
        Rule::BoundedCrashLoop.check(!debt.unpaid, || {
            format!("slot {slot} is filled at once after an early death")
        })?;
        Rule::BoundedCrashLoop.check(books.now >= debt.blocked_until, || {
            format!("slot {slot} backs off until {} ms", debt.blocked_until)
        })
    }

    fn forgive(&mut self) {
        self.debts.clear();
        self.replacements.clear();
    }
}
