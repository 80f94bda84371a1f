//! One history: a random world, the supervisor in it, and the checker beside it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use cluster::supervisor::{
    Action, Generation, Input, Policy, RequestId, ScaleTo, SlotId, SlotState, Vitals, WorkerId,
};

use crate::checker::{Checked, Checker, Phase, Rule, Violation};
use crate::saboteur::{Sabotage, Subject};
use crate::tape::Tape;
use crate::world::{Millis, World, millis, time};

/// What came of a history.
pub struct Outcome {
    pub violation: Option<Violation>,
    /// The decisions that were made.
    pub tape: Vec<u32>,
    pub steps: usize,
    /// The history in readable lines, if they were wanted.
    pub lines: Vec<String>,
}

/// Lives through the history that the tape decides.
pub fn live(tape: Tape, sabotage: Option<Sabotage>, readable: bool) -> Outcome {
    let mut history = History::new(tape, sabotage, readable);
    let violation = match catch_unwind(AssertUnwindSafe(|| history.run())) {
        Ok(checked) => checked.err(),
        Err(_) => Some(Violation { rule: Rule::NeverPanics, what: "see above".to_owned() }),
    };
    Outcome {
        violation,
        tape: history.tape.into_record(),
        steps: history.steps,
        lines: history.lines.unwrap_or_default(),
    }
}

struct History {
    tape: Tape,
    world: World,
    subject: Subject,
    checker: Checker,
    policy: Policy,
    steps: usize,
    /// Steps since time has passed.
    at_once: usize,
    requests: u64,
    generations: u64,
    stopped: bool,
    lines: Option<Vec<String>>,
}

impl History {
    fn new(mut tape: Tape, sabotage: Option<Sabotage>, readable: bool) -> Self {
        let policy = random_policy(&mut tape);
        let seed = u64::from(tape.choose(u32::MAX));
        Self {
            world: World::default(),
            subject: Subject::new(&policy, seed, sabotage),
            checker: Checker::new(policy.clone()),
            steps: 0,
            at_once: 0,
            requests: 0,
            generations: 1,
            stopped: false,
            lines: readable.then(|| vec![format!("{policy:?}")]),
            policy,
            tape,
        }
    }

    fn run(&mut self) -> Checked {
        let actions = self.subject.start(time(0));
        self.after(None, &actions)?;
        for _ in 0..60 + self.tape.choose(200) {
            self.turn()?;
        }
        self.world.calm = true;
        if !self.stopped {
            self.becomes_well()?;
            self.feed(&Input::Stop)?;
        }
        self.ends()
    }

    /// One decision: mostly that the next thing happens.
    fn turn(&mut self) -> Checked {
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

    /// The next thing in the world, or the supervisor's next wake, whatever comes first. False when
    /// nothing will ever happen.
    fn next_thing(&mut self) -> Result<bool, Violation> {
        let wake = self.subject.supervisor.next_wake().map(|wake| millis(wake.0));
        match (self.world.next(), wake) {
            (None, None) => return Ok(false),
            (event, Some(wake)) if event.is_none_or(|event| wake <= event) => {
                self.pass_to(wake);
                self.feed(&Input::Tick)?;
            }
            (event, _) => {
                self.pass_to(event.unwrap_or_default());
                if let Some(input) = self.world.happen(&self.policy, &mut self.tape) {
                    self.feed(&input)?;
                }
            }
        }
        Ok(true)
    }

    fn pass_to(&mut self, at: Millis) {
        if at > self.world.now {
            self.world.now = at;
            self.at_once = 0;
        }
    }

    fn feed(&mut self, input: &Input) -> Checked {
        let actions = self.subject.step(time(self.world.now), input);
        self.after(Some(input), &actions)
    }

    fn after(&mut self, input: Option<&Input>, actions: &[Action]) -> Checked {
        self.steps += 1;
        self.at_once += 1;
        if let Some(lines) = &mut self.lines {
            lines.push(line(self.world.now, input, actions));
        }
        self.checker.observe(self.world.now, input, actions)?;
        for action in actions {
            self.world.obey(action, &self.policy, &mut self.tape);
        }
        Rule::NotBusy.check(self.at_once < 200, || "200 steps without a pause".to_owned())?;
        self.views_agree()
    }

    fn views_agree(&self) -> Checked {
        let (supervisor, books) = (&self.subject.supervisor, &self.checker.books);
        let phases = [Phase::Starting, Phase::Ready, Phase::Draining, Phase::Dying];
        let seen = phases.map(|phase| books.count(phase));
        let own =
            [supervisor.starting(), supervisor.ready(), supervisor.draining(), supervisor.dying()];
        Rule::ViewsAgree.check(self.subject.sabotage.is_some() || seen == own, || {
            format!("{phases:?} are {seen:?}, and it says {own:?}")
        })
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

    /// A message from a worker that is gone, or never was.
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
            Input::Exited(id, cluster::supervisor::Exit::Code(0)),
            Input::SpawnFailed { worker: id, reason: "late".to_owned() },
        ];
        let which = self.tape.choose(8) as usize;
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
        // What a worker was started with stays, so the world keeps it.
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

    /// In a calm world everything that was asked for is there in the end.
    fn becomes_well(&mut self) -> Checked {
        for _ in 0..5000 {
            if self.is_well() {
                return Ok(());
            }
            if !self.next_thing()? {
                break;
            }
        }
        let supervisor = &self.subject.supervisor;
        let slots: Vec<_> = supervisor.slots().collect();
        Rule::Recovers.check(self.is_well(), || {
            format!(
                "{} ready of {} wanted, {} desired; reloading {:?}; slots {slots:?}",
                supervisor.ready(),
                supervisor.target(),
                supervisor.desired(),
                supervisor.reloading()
            )
        })
    }

    fn is_well(&self) -> bool {
        let supervisor = &self.subject.supervisor;
        let books = &self.checker.books;
        let errored = supervisor.slots().filter(|slot| slot.state == SlotState::Errored).count();
        let gate_is_shut = errored > 0;
        let ready = books.count(Phase::Ready);
        let enough = if gate_is_shut {
            ready + errored >= books.target && ready <= books.target
        } else {
            ready == books.target && books.count(Phase::Starting) == 0
        };
        enough
            && supervisor.desired() == books.target
            && supervisor.reloading().is_none()
            && self.checker.requests.all_answered()
    }

    /// After a stop all is over some day.
    fn ends(&mut self) -> Checked {
        for _ in 0..2000 {
            if self.checker.books.alive().count() == 0 || !self.next_thing()? {
                break;
            }
        }
        let left = self.checker.books.alive().count();
        Rule::StopEndsAll.check(left == 0, || format!("{left} workers for ever"))?;
        let idle = self.subject.supervisor.next_wake().is_none();
        let answered = self.checker.requests.all_answered();
        Rule::OneReply.check(answered, || "somebody still waits for a reply".to_owned())?;
        Rule::NotBusy.check(self.subject.sabotage.is_some() || idle, || {
            "after the end it still wants to be woken".to_owned()
        })
    }
}

fn line(now: Millis, input: Option<&Input>, actions: &[Action]) -> String {
    let mut lines = vec![match input {
        None => format!("{now:>8} ms  start"),
        Some(input) => format!("{now:>8} ms  {input:?}"),
    }];
    lines.extend(actions.iter().map(|action| format!("             {action:?}")));
    lines.join("\n")
}

fn random_policy(tape: &mut Tape) -> Policy {
    let ms = Duration::from_millis;
    let workers = 1 + tape.choose(5) as usize;
    Policy {
        workers,
        min_workers: 1,
        max_workers: workers + tape.choose(4) as usize,
        surge: 1 + tape.choose(2) as usize,
        max_draining: tape.pick(&[None, Some(1), Some(2)]),
        ready_timeout: ms(tape.pick(&[1000, 3000])),
        min_ready: ms(tape.pick(&[0, 300, 1000])),
        min_uptime: ms(tape.pick(&[500, 1000])),
        restart_delay: ms(100),
        restart_delay_max: ms(tape.pick(&[1000, 5000])),
        max_early_deaths: tape.pick(&[3, 2, 1, 5]),
        drain_window: ms(100),
        drain_timeout: ms(tape.pick(&[1000, 4000])),
        shutdown_timeout: ms(tape.pick(&[1000, 2000])),
        accept_timeout: ms(100),
        term_grace: ms(500),
        abort_grace: ms(700),
        heartbeat: tape.pick(&[None, Some(ms(2000)), Some(ms(5000))]),
        memory_limit: tape.pick(&[None, Some(1 << 20)]),
        max_requests: tape.pick(&[None, Some(20)]),
        max_lifetime: tape.pick(&[None, None, Some(ms(10_000))]),
    }
}
