//! The events of a cluster, told in sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::primary::{Event, Events};
use cluster::supervisor::{Retirement, SlotId, WorkerId};
use lab::{narrate, say};
use nix::sys::signal::Signal;

/// Tells what happens in a cluster: sentences on stderr, and on stdout the `ready` line.
///
/// The library counts workers by ids, which are never used twice; a terminal knows pids. The story
/// remembers which is which.
#[derive(Default)]
pub struct Story {
    workers: BTreeMap<WorkerId, (u32, SlotId)>,
    /// Those that the primary is killing.
    condemned: BTreeSet<WorkerId>,
    /// Who has exited in the latest event: it is forgotten with the next one.
    gone: Option<WorkerId>,
}

/// Tells all events, until the cluster has stopped.
pub fn tell_all(events: Events) {
    let mut story = Story::default();
    for event in events {
        story.tell(&event);
    }
}

impl Story {
    /// Tells one event.
    pub fn tell(&mut self, event: &Event) {
        self.follow(event);
        if let Some(sentence) = self.sentence(event) {
            say!("primary: {sentence}");
        }
    }

    /// Remembers who is who, and prints the `ready` line; for somebody who tells in other words.
    pub fn follow(&mut self, event: &Event) {
        if let Some(gone) = self.gone.take() {
            self.workers.remove(&gone);
            self.condemned.remove(&gone);
        }
        match event {
            Event::Serving { addresses, workers } => {
                // The command line takes TCP addresses only.
                if let Some(address) = addresses.iter().find_map(|address| address.parse().ok()) {
                    narrate::ready(address, *workers);
                }
            }
            Event::Spawned { worker, slot, pid, .. } => {
                self.workers.insert(*worker, (*pid, *slot));
            }
            Event::Exited { worker, .. } => self.gone = Some(*worker),
            Event::Unhealthy(worker, _) => _ = self.condemned.insert(*worker),
            _ => {}
        }
    }

    /// The pid of a worker that is alive, or has just exited.
    #[must_use]
    pub fn pid(&self, worker: WorkerId) -> u32 {
        self.workers.get(&worker).map_or(0, |(pid, _)| *pid)
    }

    /// The slot of a worker that is alive, or has just exited.
    #[must_use]
    pub fn slot(&self, worker: WorkerId) -> Option<SlotId> {
        self.workers.get(&worker).map(|(_, slot)| *slot)
    }

    fn sentence(&self, event: &Event) -> Option<String> {
        let who = |worker: &WorkerId| format!("worker {}", self.pid(*worker));
        Some(match event {
            Event::Spawned { worker, slot, generation, .. } => {
                format!("{} started in slot {slot}, generation {generation}", who(worker))
            }
            Event::Listening(worker, _) => format!("{} is ready", who(worker)),
            Event::Draining(worker, why) => format!("{} leaves: {}", who(worker), reason(*why)),
            Event::Disconnected(worker) => format!("{} accepts no more", who(worker)),
            Event::Unhealthy(worker, why) => format!("{} is unhealthy: {why}", who(worker)),
            Event::Exited { worker, code, signal, voluntary, uptime, .. } => {
                let meant = match voluntary {
                    true => "",
                    false if self.condemned.contains(worker) => ", by its primary",
                    false => ", and nobody had asked it to",
                };
                format!("{} {}{meant}, after {}", who(worker), end(*code, *signal), brief(*uptime))
            }
            of_all => return sentence_of_all(of_all),
        })
    }
}

/// What happens to a slot, or to the whole cluster.
fn sentence_of_all(event: &Event) -> Option<String> {
    Some(match event {
        Event::BackingOff { slot, failures, delay } => {
            let delay = brief(*delay);
            format!("slot {slot}: {failures} early deaths in a row; the next try is in {delay}")
        }
        Event::Errored { slot, failures, delay } => format!(
            "slot {slot} is errored after {failures} early deaths, and tried every {}; repair the \
             program, then reload",
            brief(*delay)
        ),
        Event::StartRefused { slot, reason, delay } => {
            format!("slot {slot}: {reason}; the next try is in {}", brief(*delay))
        }
        Event::Suspended => "no worker is ready: connections are refused until one is".to_owned(),
        Event::ReloadStarted(generation) => format!("reload to generation {generation} begins"),
        Event::ReloadFinished(generation) => {
            format!("reload to generation {generation} is finished")
        }
        Event::ReloadFailed(generation, why) => {
            format!("reload to generation {generation} failed: {why}")
        }
        Event::ReloadRefused(why) => format!("no reload: {why}"),
        Event::Scaled { from, to } => format!("{to} workers are wanted instead of {from}"),
        Event::Stopping => {
            "stopping; the same signal again after half a second ends it at once".to_owned()
        }
        Event::Lagged(lost) => format!("{lost} events came too fast to be told"),
        _ => return None,
    })
}

/// Why a worker leaves.
#[must_use]
pub fn reason(why: Retirement) -> &'static str {
    match why {
        Retirement::Reload => "a newer version has taken its place",
        Retirement::ReloadFailed => "the reload that brought it has failed",
        Retirement::ScaleDown => "fewer workers are wanted",
        Retirement::MemoryLimit => "it uses more memory than it may",
        Retirement::MaxRequests => "it has answered as many requests as it may",
        Retirement::MaxLifetime => "it has lived as long as it may",
        Retirement::Terminated => "SIGTERM came from outside",
        Retirement::OwnWish => "by its own wish",
        Retirement::Stop => "the cluster stops",
    }
}

/// How a process ended, in words.
#[must_use]
pub fn end(code: Option<i32>, signal: Option<i32>) -> String {
    let name = |number| Signal::try_from(number).map_or("an unknown signal", Signal::as_str);
    match (code, signal) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(number)) => format!("was killed by {}", name(number)),
        (None, None) => "could not be started".to_owned(),
    }
}

/// A duration as people say it: `3 ms`, `1.5 s`.
#[must_use]
pub fn brief(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}
