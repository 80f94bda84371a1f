//! The seven invariants, checked from outside: only inputs and actions are examined.
//!
//! Each file of this folder keeps its own books for its own invariants, so that a mistake in one
//! cannot hide behind the same mistake in another.

mod books;
mod crash_loop;
mod outage;
mod places;
mod reload;
mod requests;
mod stop;

use std::fmt;

use cluster::supervisor::{Action, Event, Input, Policy, Retirement, Signal};

pub use books::{Books, Phase};
use crash_loop::CrashLoops;
use outage::Outages;
use reload::ReloadRules;
use requests::Requests;
use stop::StopRules;

use crate::world::Millis;

/// The rules that can be broken. The first seven are numbered as in the supervisor's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    KeepsCapacity,
    BoundedSurge,
    EachExitOnce,
    BoundedCrashLoop,
    StopEndsAll,
    BrokenVersionHarmless,
    LegalPath,
    OneReply,
    SparesTheSilenced,
    BoundedWait,
    Recovers,
    NotBusy,
    Serialises,
    ViewsAgree,
    NeverPanics,
}

/// An invariant that did not hold, and why.
#[derive(Debug)]
pub struct Violation {
    pub rule: Rule,
    pub what: String,
}

pub type Checked = Result<(), Violation>;

impl Rule {
    /// An error unless `holds`.
    pub fn check(self, holds: bool, what: impl FnOnce() -> String) -> Checked {
        if holds { Ok(()) } else { Err(Violation { rule: self, what: what() }) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.rule {
            Rule::KeepsCapacity => "invariant 1 (a retired worker leaves enough ready ones)",
            Rule::BoundedSurge => "invariant 2 (surge and draining are bounded)",
            Rule::EachExitOnce => "invariant 3 (each process is seen to exit exactly once)",
            Rule::BoundedCrashLoop => "invariant 4 (a crash loop spawns at a bounded rate)",
            Rule::StopEndsAll => "invariant 5 (after a stop nothing starts, and all ends in time)",
            Rule::BrokenVersionHarmless => "invariant 6 (a broken version costs no healthy worker)",
            Rule::LegalPath => "invariant 7 (each worker's events are a legal path)",
            Rule::OneReply => "every request gets one reply",
            Rule::SparesTheSilenced => "silence counts only while reports can arrive",
            Rule::BoundedWait => "clients wait for a worker for a bounded time",
            Rule::Recovers => "in a calm world everything recovers",
            Rule::NotBusy => "time passes between wakes",
            Rule::Serialises => "the state survives serialisation",
            Rule::NeverPanics => "the supervisor does not panic",
            Rule::ViewsAgree => "the supervisor's own numbers are right",
        };
        write!(f, "{rule}: {}", self.what)
    }
}

pub struct Checker {
    pub books: Books,
    crash_loops: CrashLoops,
    outages: Outages,
    reload: ReloadRules,
    pub requests: Requests,
    stop: StopRules,
}

impl Checker {
    pub fn new(policy: Policy) -> Self {
        Self {
            books: Books::new(policy),
            crash_loops: CrashLoops::default(),
            outages: Outages::default(),
            reload: ReloadRules::default(),
            requests: Requests::default(),
            stop: StopRules::default(),
        }
    }

    /// The primary, or the whole machine, did not run for this time.
    pub fn slept(&mut self, time: Millis) {
        self.books.slept(time);
    }

    /// One step: its input and its actions.
    pub fn observe(&mut self, now: Millis, input: Option<&Input>, actions: &[Action]) -> Checked {
        self.books.now = now;
        if let Some(input) = input {
            self.books.note_input(input);
            self.requests.note(input);
            self.stop.note(input, now);
        }
        for action in actions {
            self.before(action)?;
            self.books.note_action(action)?;
            self.requests.observe(action)?;
            self.crash_loops.observe(action, &self.books)?;
            self.outages.observe(action, &self.books)?;
            self.reload.observe(action, &self.books)?;
            self.stop.observe(action, &self.books)?;
        }
        self.books.end_of_step()?;
        self.requests.end_of_step()?;
        self.reload.end_of_step(input, &self.books)?;
        self.outages.end_of_step(self.stop.has_begun(), &self.books)?;
        self.stop.end_of_step(&self.books)
    }

    /// Invariants 1 and 2, and the workers that may be signalled, with the numbers before the action.
    fn before(&self, action: &Action) -> Checked {
        match action {
            Action::Emit(Event::Draining(worker, why)) => self.may_drain(*worker, *why),
            Action::Spawn { .. } => self.may_spawn(),
            Action::Signal { worker, signal } => self.may_signal(*worker, *signal),
            _ => Ok(()),
        }
    }

    fn may_drain(&self, worker: cluster::supervisor::WorkerId, why: Retirement) -> Checked {
        if matches!(why, Retirement::OwnWish | Retirement::Stop) {
            return Ok(());
        }
        let (books, policy) = (&self.books, &self.books.policy);
        let left = books.count(Phase::Ready) - usize::from(books.is(worker, Phase::Ready));
        Rule::KeepsCapacity.check(left >= books.target, || {
            format!("worker {worker} is retired ({why:?}): {left} ready of {} wanted", books.target)
        })?;
        let draining = books.count(Phase::Draining) + 1;
        let most = policy.max_draining.unwrap_or(books.target.max(left)).max(1);
        Rule::BoundedSurge.check(draining <= most, || {
            format!("worker {worker} is retired ({why:?}): {draining} drain, at most {most} may")
        })
    }

    fn may_spawn(&self) -> Checked {
        let books = &self.books;
        // The event `Spawned` came just before, and is already in the books.
        let active = books.count(Phase::Starting) + books.count(Phase::Ready);
        let most = books.target + books.policy.surge;
        Rule::BoundedSurge
            .check(active <= most, || format!("{active} starting or ready, at most {most} may be"))
    }

    fn may_signal(&self, worker: cluster::supervisor::WorkerId, signal: Signal) -> Checked {
        let healthy = self.books.is(worker, Phase::Ready) && !self.stop.has_begun();
        Rule::KeepsCapacity.check(!healthy, || {
            format!("worker {worker} is ready and healthy, and gets {signal:?}")
        })
    }
}
