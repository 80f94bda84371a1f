//! The decisions of a turn, apart from the events that the world has planned.

use cluster::supervisor::{Exit, Generation, Input, RequestId, ScaleTo, SlotId, Vitals, WorkerId};

use super::History;
use super::settings::random_policy;
use crate::checker::{Checked, Rule};
use crate::world::time;

impl History {
    /// One decision: mostly that the next thing happens.
    pub(super) fn turn(&mut self) -> Checked {
        match self.tape.choose(64) {
            0..=52 => self.next_thing().map(|_| ()),
            53..=55 => self.scale(),
            56 | 57 => self.reload(),
            58 => self.reset(),
            59 => {
                self.pause();
                Ok(())
            }
            60 => self.murder(),
            61 => self.late_input(),
            _ => self.rarely(),
        }
    }

    fn rarely(&mut self) -> Checked {
        match self.tape.choose(12) {
            0..=3 => self.other_policy(),
            4 | 5 => self.backwards(),
            6..=8 => self.serialise(),
            9 => self.stop(&Input::Stop),
            10 if self.tape.choose(2) == 0 => self.stop(&Input::StopNow),
            _ => self.feed(&Input::Tick),
        }
    }

    fn scale(&mut self) -> Checked {
        let exactly = ScaleTo::Exactly(self.tape.choose(10) as usize);
        let to = self.tape.pick(&[exactly, ScaleTo::Up, ScaleTo::Down]);
        let request = self.request();
        self.feed(&Input::Scale { request, to })
    }

    fn reload(&mut self) -> Checked {
        self.generations += 1;
        let generation = Generation(self.generations);
        self.world.deploy(generation, &mut self.tape);
        let request = self.request();
        self.feed(&Input::Reload { request, generation })
    }

    fn reset(&mut self) -> Checked {
        let slot = SlotId(self.tape.choose(6));
        let request = self.request();
        self.feed(&Input::Reset { request, slot })
    }

    fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// The primary does not run for a while. Its workers sleep too, or they do not.
    fn pause(&mut self) {
        let pause = 8000 + u64::from(self.tape.choose(100_000));
        self.checker.books.now = self.world.now;
        self.checker.slept(pause);
        self.at_once = 0;
        if self.tape.choose(2) == 0 {
            self.world.sleep(pause);
        } else {
            self.world.now += pause;
        }
    }

    fn murder(&mut self) -> Checked {
        let input = self.world.murder(&mut self.tape);
        input.map_or(Ok(()), |input| self.feed(&input))
    }

    /// A message from a worker that is gone, or never existed.
    fn late_input(&mut self) -> Checked {
        let id = WorkerId(u64::from(self.tape.choose(20)));
        if self.checker.books.is_alive(id) {
            return Ok(());
        }
        let inputs = [
            Input::Ready(id),
            Input::Heartbeat(id, Vitals::default()),
            Input::Memory(id, u64::MAX),
            Input::StoppedAccepting(id),
            Input::Leaving(id),
            Input::Broken(id, "late".to_owned()),
            Input::Exited(id, Exit::Code(0)),
            Input::SpawnFailed { worker: id, reason: "late".to_owned(), shortage: false },
            Input::CannotBegin { worker: id, reason: "late".to_owned(), shortage: true },
            Input::Terminated(id),
        ];
        let which = self.tape.choose(10) as usize;
        let [..] = &inputs;
        self.feed(&inputs[which])
    }

    fn serialise(&mut self) -> Checked {
        let before = &self.subject.supervisor;
        let json = serde_json::to_string(before).expect("plain data");
        let after = serde_json::from_str(&json).expect("what was written can be read");
        let same = *before == after;
        self.subject.supervisor = after;
        Rule::Serialises.check(same, || json)
    }

    /// The settings file was changed.
    fn other_policy(&mut self) -> Checked {
        let other = random_policy(&mut self.tape);
        // A worker keeps the settings that it was started with, so the world keeps them.
        self.policy.max_workers = other.max_workers.max(self.policy.min_workers);
        self.policy.drain_timeout = other.drain_timeout;
        self.policy.workers = other.workers.min(self.policy.max_workers);
        if self.subject.sabotage.is_none() && !self.stopped {
            self.subject.supervisor.set_policy(self.policy.clone());
            self.checker.books.policy = self.policy.clone();
            self.feed(&Input::Tick)?;
        }
        Ok(())
    }

    /// The driver's clock shows an earlier time than before.
    fn backwards(&mut self) -> Checked {
        self.feed(&Input::Tick)?;
        let earlier = self.world.now.saturating_sub(u64::from(self.tape.choose(5000)));
        let actions = self.subject.step(time(earlier), &Input::Tick);
        self.after(Some(&Input::Tick), &actions)
    }

    fn stop(&mut self, how: &Input) -> Checked {
        self.stopped = true;
        self.feed(how)
    }
}
