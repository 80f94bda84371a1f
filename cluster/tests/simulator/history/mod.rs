//! One history: a random world, the supervisor in it, and the checker alongside it.

mod decisions;
mod settings;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cluster::supervisor::{Action, Input, Policy, SlotState, SlotView};

use settings::random_policy;

use crate::checker::{Checked, Checker, Phase, Rule, Violation};
use crate::saboteur::{Sabotage, Subject};
use crate::tape::Tape;
use crate::world::{Millis, World, millis, time};

/// The outcome of a history.
pub struct Outcome {
    pub violation: Option<Violation>,
    /// The decisions that were made.
    pub tape: Vec<u32>,
    pub steps: usize,
    /// The history in readable lines, if requested.
    pub lines: Vec<String>,
}

/// Plays the history that the tape decides.
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
    /// Steps since time last passed.
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
        for _ in 0..50 + self.tape.choose(150) {
            self.turn()?;
        }
        self.world.calm = true;
        if !self.stopped {
            self.becomes_well()?;
            self.feed(&Input::Stop)?;
        }
        self.ends()
    }

    /// Runs the next thing in the world, or the supervisor's next wake, whichever comes first.
    /// False if nothing will ever happen.
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
            format!("{phases:?} are {seen:?}, but the supervisor counts {own:?}")
        })
    }

    /// In a calm world every request is fulfilled in the end.
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
        let ready = |id| self.checker.books.is(id, Phase::Ready);
        let is_staffed = |slot: &SlotView| matches!(slot.state, SlotState::Worker(id) if ready(id));
        let supervisor = &self.subject.supervisor;
        let books = &self.checker.books;
        let errored = supervisor.slots().filter(|slot| slot.errored && !is_staffed(slot)).count();
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

    /// After a stop everything ends.
    fn ends(&mut self) -> Checked {
        for _ in 0..2000 {
            if self.checker.books.alive().count() == 0 || !self.next_thing()? {
                break;
            }
        }
        let left = self.checker.books.alive().count();
        Rule::StopEndsAll.check(left == 0, || format!("{left} workers stay alive forever"))?;
        let idle = self.subject.supervisor.next_wake().is_none();
        let answered = self.checker.requests.all_answered();
        Rule::OneReply.check(answered, || "a request is still waiting for a reply".to_owned())?;
        Rule::NotBusy.check(self.subject.sabotage.is_some() || idle, || {
            "after the end the supervisor still asks for a wake".to_owned()
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
