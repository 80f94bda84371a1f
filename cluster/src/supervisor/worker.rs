//! One process, from its start to its exit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::restart::End;
use super::{Generation, Policy, SlotId, Time};

/// The state of one process, as the supervisor knows it.
///
/// A worker lives by the settings that it was started with: it reports with the period that they
/// set, and it must not be judged by a different period from later settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Worker {
    /// The slot for which it was started. A draining worker remembers it, but has left it.
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
    pub(super) state: State,
    pub(super) spawned: Time,
    /// The time at which it became ready, if it ever did.
    pub(super) ready: Option<Time>,
    pub(super) last_report: Time,
    /// The time at which we gave up on it. It may take a while to die; that time does not count in
    /// its favour.
    pub(super) condemned: Option<Time>,
    /// Its end is not a crash: we asked for it, or the worker announced it.
    pub(super) expected: bool,
    /// It got SIGTERM from outside, and must be replaced.
    pub(super) terminated: bool,
    /// The reason why it failed to start, if it failed before running any of the program's own code.
    pub(super) cannot_begin: Option<String>,
    /// True if the reason was that the kernel had no room for it.
    pub(super) shortage: bool,
    /// The listeners that it must still serve, once it has reported them.
    pub(super) waits_for: Option<Vec<String>>,
    /// The period of its reports.
    pub(super) heartbeat: Option<Duration>,
    /// The number of requests after which it is replaced.
    pub(super) max_requests: Option<u64>,
    /// The time after which it is replaced.
    pub(super) max_lifetime: Option<Duration>,
}

/// The state of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not ready yet.
    Starting,
    /// Accepts connections.
    Ready,
    /// Was asked to leave, or announced that it is leaving; finishes the work that it has.
    Draining {
        /// It accepts no more connections.
        closed: bool,
    },
    /// Is being killed: it hung, broke the protocol, took too long, or is not needed.
    Dying,
}

impl Worker {
    pub(super) fn new(
        slot: SlotId,
        generation: Generation,
        now: Time,
        policy: &Policy,
        dice: &mut Dice,
    ) -> Self {
        Self {
            slot,
            generation,
            state: State::Starting,
            spawned: now,
            ready: None,
            last_report: now,
            condemned: None,
            expected: false,
            terminated: false,
            cannot_begin: None,
            shortage: false,
            waits_for: None,
            heartbeat: policy.heartbeat,
            max_requests: policy.max_requests.map(|n| dice.about(n)),
            max_lifetime: policy.max_lifetime.map(|time| dice.about_duration(time)),
        }
    }

    pub(super) fn uptime(&self, now: Time) -> Duration {
        now.since(self.spawned)
    }

    /// Returns whether its end would be an early death, if it is gone now.
    pub(super) fn is_early(&self, now: Time, policy: &Policy) -> bool {
        self.ready.is_none() || self.uptime(self.condemned.unwrap_or(now)) < policy.min_uptime
    }

    /// The kind of end of its life, if it is gone now.
    pub(super) fn end(&self, now: Time, policy: &Policy) -> End {
        match self.is_early(now, policy) {
            true if self.shortage => End::Shortage,
            true => End::Early,
            false => End::Late,
        }
    }

    /// The condition that it still lacks for being ready, as the end of a sentence.
    pub(super) fn lacks(&self) -> String {
        match self.waits_for.as_deref() {
            None => "it has not reached cluster::run".to_owned(),
            Some([one]) => format!("it is waiting for its program to serve the listener `{one}`"),
            Some(several) => {
                let several = several.join("`, `");
                format!("it is waiting for its program to serve the listeners `{several}`")
            }
        }
    }

    /// The present moment in its life, as the end of a sentence.
    pub(super) fn moment(&self, now: Time) -> String {
        match self.ready {
            None => " before it was ready".to_owned(),
            Some(ready) => format!(", {} after it was ready", in_words(now.since(ready))),
        }
    }

    /// The time for which it may be silent: two missed reports, plus half a period for the delivery.
    pub(super) fn silence(&self) -> Option<Duration> {
        self.heartbeat.map(|period| period.saturating_mul(5) / 2)
    }
}

/// Formats a time for people, without nanoseconds.
pub(super) fn in_words(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    humantime::format_duration(Duration::from_millis(millis)).to_string()
}

/// The number of workers in each state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) starting: usize,
    pub(super) ready: usize,
    /// Draining workers that may still accept connections.
    pub(super) accepting: usize,
    /// Draining workers that no longer accept connections.
    pub(super) closed: usize,
    pub(super) dying: usize,
}

impl Counts {
    pub(super) fn draining(&self) -> usize {
        self.accepting + self.closed
    }

    pub(super) fn of(&mut self, state: State) -> &mut usize {
        match state {
            State::Starting => &mut self.starting,
            State::Ready => &mut self.ready,
            State::Draining { closed: false } => &mut self.accepting,
            State::Draining { closed: true } => &mut self.closed,
            State::Dying => &mut self.dying,
        }
    }
}
