//! The events as a timeline: the time, the slot, the process, and the event.

use std::time::Instant;

use cluster::primary::Event;
use cluster::supervisor::{SlotId, WorkerId};
use lab::say;
use level_2::story::{Story, brief, end, reason};

/// Prints the events of a cluster, with the time since the program was started.
pub struct Timeline {
    began: Instant,
    /// The workers that are known.
    story: Story,
}

impl Timeline {
    pub fn since(began: Instant) -> Self {
        Self { began, story: Story::default() }
    }

    pub fn tell(&mut self, event: &Event) {
        self.story.follow(event);
        match event {
            Event::Spawned { worker, .. } => self.of(*worker, "is started"),
            Event::Listening(worker, _) => self.of(*worker, "is ready"),
            Event::Draining(worker, why) => {
                self.of(*worker, &format!("leaves: {}", reason(*why)));
            }
            Event::Unhealthy(worker, why) => self.of(*worker, &format!("is unhealthy: {why}")),
            Event::Exited { worker, code, signal, voluntary, uptime, .. } => {
                // The exit code does not distinguish the two: the intent to stop, recorded first, does.
                let meant = if *voluntary { "left" } else { "crashed" };
                let (how, age) = (end(*code, *signal), brief(*uptime));
                self.of(*worker, &format!("{meant}: {how}, after {age}"));
            }
            Event::BackingOff { slot, failures, delay } => {
                let ms = delay.as_secs_f64() * 1e3;
                self.line(*slot, "", &format!("waits {ms:.3} ms after early death {failures}"));
            }
            Event::Errored { slot, failures, delay } => {
                let every = brief(*delay);
                let what = format!("is errored after {failures} early deaths; tried every {every}");
                self.line(*slot, "", &what);
            }
            Event::StartRefused { slot, reason, delay } => {
                self.line(*slot, "", &format!("{reason}; the next try is in {}", brief(*delay)));
            }
            Event::Suspended => {
                self.all("no worker is ready: connections are refused until one is");
            }
            Event::Scaled { from, to } => self.all(&format!("{to} are wanted instead of {from}")),
            Event::ReloadStarted(_) => self.all("a reload begins"),
            Event::ReloadFinished(_) => self.all("the reload is finished"),
            Event::ReloadFailed(_, why) => self.all(&format!("the reload failed: {why}")),
            Event::ReloadRefused(why) => self.all(&format!("no reload: {why}")),
            Event::Stopping => self.all("stopping"),
            Event::Lagged(lost) => self.all(&format!("{lost} events came too fast to be reported")),
            _ => {}
        }
    }

    /// Prints a line about one worker.
    pub fn of(&self, worker: WorkerId, what: &str) {
        if let Some(slot) = self.story.slot(worker) {
            self.line(slot, &self.story.pid(worker).to_string(), what);
        }
    }

    fn line(&self, slot: SlotId, pid: &str, what: &str) {
        say!(
            "primary: {:>8.3} s  slot {slot}  {pid:>7}  {what}",
            self.began.elapsed().as_secs_f64()
        );
    }

    fn all(&self, what: &str) {
        say!("primary: {:>8.3} s  all     {:>7}  {what}", self.began.elapsed().as_secs_f64(), "");
    }
}
