//! The events of a cluster, as sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::primary::{Event, Events};
use cluster::supervisor::{Retirement, SlotId, WorkerId};
use lab::{narrate, say};
use nix::sys::signal::Signal;

/// Prints the events of a cluster: sentences on stderr, and the `ready` line on stdout.
///
/// The library counts workers by ids, which are never reused; a terminal shows pids. The story
/// remembers which id has which pid.
#[derive(Default)]
pub struct Story {
    workers: BTreeMap<WorkerId, (u32, SlotId)>,
    /// The workers that the primary is killing.
    condemned: BTreeSet<WorkerId>,
    /// The worker that has exited in the latest event: it is forgotten with the next one.
    gone: Option<WorkerId>,
}

/// Prints all events, until the cluster has stopped.
pub fn tell_all(events: Events) {
    let mut story = Story::default();
    for event in events {
        story.tell(&event);
    }
}

impl Story {
    /// Prints one event.
    pub fn tell(&mut self, event: &Event) {
        self.follow(event);
        if let Some(sentence) = self.sentence(event) {
            say!("primary: {sentence}");
        }
    }

    /// Remembers the workers, and prints the `ready` line; for callers that print events in their own
    /// words.
    pub fn follow(&mut self, event: &Event) {
        if let Some(gone) = self.gone.take() {
            self.workers.remove(&gone);
            self.condemned.remove(&gone);
        }
        match event {
            Event::Serving { addresses, workers } => {
                // The command line only accepts TCP addresses.
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
        let name = |worker: &WorkerId| format!("worker {}", self.pid(*worker));
        Some(match event {
            Event::Spawned { worker, slot, generation, .. } => {
                format!("{} started in slot {slot}, generation {generation}", name(worker))
            }
            Event::Listening(worker, _) => format!("{} is ready", name(worker)),
            Event::Draining(worker, why) => format!("{} leaves: {}", name(worker), reason(*why)),
            Event::Disconnected(worker) => format!("{} accepts no more", name(worker)),
            Event::Unhealthy(worker, why) => format!("{} is unhealthy: {why}", name(worker)),
            Event::Exited { worker, code, signal, voluntary, uptime, .. } => {
                let meant = match voluntary {
                    true => "",
                    false if self.condemned.contains(worker) => ", by its primary",
                    false => ", unexpectedly",
                };
                format!("{} {}{meant}, after {}", name(worker), end(*code, *signal), brief(*uptime))
            }
            of_all => return sentence_of_all(of_all),
        })
    }
}

/// The sentence for an event of a slot, or of the whole cluster.
fn sentence_of_all(event: &Event) -> Option<String> {
    Some(match event {
        Event::BackingOff { slot, failures, delay } => {
            let delay = brief(*delay);
            let deaths = if *failures == 1 { "death" } else { "deaths" };
            format!("slot {slot}: {failures} early {deaths} in a row; the next try is in {delay}")
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
        Event::Lagged(lost) => format!("{lost} events came too fast to be reported"),
        _ => return None,
    })
}

/// The reason why a worker is leaving.
#[must_use]
pub fn reason(why: Retirement) -> &'static str {
    match why {
        Retirement::Reload => "a newer version has taken its place",
        Retirement::ReloadFailed => "the reload that brought it has failed",
        Retirement::ScaleDown => "fewer workers are wanted",
        Retirement::MemoryLimit => "it is over its memory limit",
        Retirement::MaxRequests => "it has reached its limit of requests",
        Retirement::MaxLifetime => "it has reached its maximum lifetime",
        Retirement::Terminated => "SIGTERM came from outside",
        Retirement::OwnWish => "at its own request",
        Retirement::Stop => "the cluster is stopping",
    }
}

/// The end of a process, in words.
#[must_use]
pub fn end(code: Option<i32>, signal: Option<i32>) -> String {
    let name = |number| Signal::try_from(number).map_or("an unknown signal", Signal::as_str);
    match (code, signal) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(number)) => format!("was killed by {}", name(number)),
        (None, None) => "could not be started".to_owned(),
    }
}

/// A duration in a short form: `3 ms`, `1.5 s`.
#[must_use]
pub fn brief(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}
