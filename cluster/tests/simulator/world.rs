//! A world of processes without processes: it obeys the supervisor's actions, more or less.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::supervisor::{
    Action, Exit, Generation, Input, Policy, Signal, Time, Vitals, WorkerId,
};

use crate::tape::Tape;

/// Milliseconds since the world began.
pub type Millis = u64;

/// SIGKILL works, and is reported, within this time.
pub const KILL_TAKES: Millis = 20;

pub fn time(at: Millis) -> Time {
    Time(Duration::from_millis(at))
}

/// Rounded up: the world's clock has no smaller unit.
pub fn millis(time: Duration) -> Millis {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).expect("a world that ends some day")
}

#[derive(Default)]
pub struct World {
    pub now: Millis,
    /// Only good things happen from now on.
    pub calm: bool,
    processes: BTreeMap<WorkerId, Process>,
    /// The happenings to come, in order; the second number distinguishes those at the same time.
    agenda: BTreeMap<(Millis, u64), (WorkerId, Happening)>,
    entries: u64,
    versions: BTreeMap<Generation, Fault>,
}

struct Process {
    /// It no longer does anything, and TERM does not help.
    hung: bool,
    requests: u64,
    draining: bool,
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    CannotStart,
    NoRoom,
    Ready,
    Heartbeat,
    Fat,
    Closed,
    Exit(Exit),
    // The rest does not happen in a calm world.
    Leaves,
    Terminated,
    Breaks,
    Hangs,
    Crash(i32),
}

/// The fault of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    CannotStart,
    NoRoom,
    ExitsAtBoot,
    NeverReady,
    NeverReadyAndStubborn,
    SlowStart,
    DiesSoon,
    DiesLater,
    Hangs,
    Leaves,
    LeavesBeforeReady,
    IsTerminated,
    BreaksProtocol,
}

const FAULTS: [Fault; 22] = [
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::Nothing,
    Fault::CannotStart,
    Fault::NoRoom,
    Fault::ExitsAtBoot,
    Fault::NeverReady,
    Fault::NeverReadyAndStubborn,
    Fault::SlowStart,
    Fault::DiesSoon,
    Fault::DiesLater,
    Fault::Hangs,
    Fault::Leaves,
    Fault::LeavesBeforeReady,
    Fault::IsTerminated,
    Fault::BreaksProtocol,
];

impl World {
    /// A new version is deployed; it may be broken.
    pub fn deploy(&mut self, generation: Generation, tape: &mut Tape) {
        let fault = if tape.choose(2) == 0 { Fault::Nothing } else { tape.pick(&FAULTS) };
        self.versions.insert(generation, fault);
    }

    pub fn obey(&mut self, action: &Action, policy: &Policy, tape: &mut Tape) {
        match *action {
            Action::Spawn { worker, generation, .. } => {
                self.start(worker, generation, policy, tape);
            }
            Action::Drain { worker, .. } => self.drain(worker, policy, tape),
            Action::Cut(worker) => self.signal(worker, Signal::Term, tape),
            Action::Signal { worker, signal } => self.signal(worker, signal, tape),
            _ => {}
        }
    }

    /// The time of the next thing that happens.
    pub fn next(&self) -> Option<Millis> {
        self.agenda.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Lets the next thing happen. `None`: only the process itself notices.
    pub fn happen(&mut self, policy: &Policy, tape: &mut Tape) -> Option<Input> {
        let ((at, _), (worker, happening)) = self.agenda.pop_first()?;
        self.now = self.now.max(at);
        let process = self.processes.get_mut(&worker)?;
        match happening {
            Happening::CannotStart => {
                self.processes.remove(&worker);
                let reason = "no such file".to_owned();
                return Some(Input::SpawnFailed { worker, reason, shortage: false });
            }
            Happening::NoRoom => {
                self.processes.remove(&worker);
                let reason = "no room".to_owned();
                return Some(Input::SpawnFailed { worker, reason, shortage: true });
            }
            Happening::Exit(exit @ Exit::Signal(_)) => return Some(self.exit(worker, exit)),
            _ if process.hung => return None,
            Happening::Exit(exit) => return Some(self.exit(worker, exit)),
            Happening::Ready => return Some(self.ready(worker, policy, tape)),
            Happening::Heartbeat => return self.heartbeat(worker, policy, tape),
            Happening::Fat => return Some(Input::Memory(worker, u64::MAX)),
            Happening::Closed => return Some(Input::StoppedAccepting(worker)),
            _ => {}
        }
        if self.calm {
            return None;
        }
        match happening {
            Happening::Leaves => {
                self.plan(200, worker, Happening::Exit(Exit::Code(0)));
                Some(Input::Leaving(worker))
            }
            Happening::Terminated => Some(Input::Terminated(worker)),
            Happening::Breaks => Some(Input::Broken(worker, "not a frame".to_owned())),
            Happening::Crash(code) => Some(self.exit(worker, Exit::Code(code))),
            _ => {
                process.hung = true;
                None
            }
        }
    }

    /// The whole machine sleeps.
    pub fn sleep(&mut self, time: Millis) {
        self.now += time;
        let agenda = std::mem::take(&mut self.agenda);
        self.agenda = agenda.into_iter().map(|((at, n), what)| ((at + time, n), what)).collect();
    }

    /// Kills a worker from outside.
    pub fn murder(&mut self, tape: &mut Tape) -> Option<Input> {
        let victims: Vec<_> = self.processes.keys().copied().collect();
        if victims.is_empty() {
            return None;
        }
        let victim = tape.pick(&victims);
        Some(self.exit(victim, Exit::Signal(9)))
    }

    fn exit(&mut self, worker: WorkerId, exit: Exit) -> Input {
        self.processes.remove(&worker);
        Input::Exited(worker, exit)
    }

    fn plan(&mut self, after: Millis, worker: WorkerId, what: Happening) {
        self.entries += 1;
        self.agenda.insert((self.now + after, self.entries), (worker, what));
    }

    fn start(&mut self, worker: WorkerId, of: Generation, policy: &Policy, tape: &mut Tape) {
        let mut fault = tape.pick(&FAULTS);
        let version = self.versions.get(&of).copied().unwrap_or(Fault::Nothing);
        if version != Fault::Nothing {
            fault = version;
        }
        if self.calm {
            fault = Fault::Nothing;
        }
        let (boot, later) = (1 + u64::from(tape.choose(50)), u64::from(tape.choose(10_000)));
        let stubborn = fault == Fault::NeverReadyAndStubborn;
        let process = Process { hung: stubborn, requests: 0, draining: false };
        self.processes.insert(worker, process);
        let (timeout, early) = (millis(policy.ready_timeout), millis(policy.min_uptime));
        let (ready_at, then) = match fault {
            Fault::Nothing => (Some(boot), None),
            Fault::CannotStart => (None, Some((0, Happening::CannotStart))),
            Fault::NoRoom => (None, Some((0, Happening::NoRoom))),
            Fault::IsTerminated => (Some(boot), Some((boot + later, Happening::Terminated))),
            Fault::ExitsAtBoot => (None, Some((boot, Happening::Crash(1)))),
            Fault::NeverReady | Fault::NeverReadyAndStubborn => (None, None),
            Fault::SlowStart => (Some(timeout / 2 + later % timeout), None),
            Fault::DiesSoon => (Some(boot), Some((boot + later % early, Happening::Crash(3)))),
            Fault::DiesLater => (Some(boot), Some((early + later, Happening::Crash(0)))),
            Fault::Hangs => (Some(boot), Some((boot + later, Happening::Hangs))),
            Fault::Leaves => (Some(boot), Some((boot + later, Happening::Leaves))),
            Fault::LeavesBeforeReady => (None, Some((boot, Happening::Leaves))),
            Fault::BreaksProtocol => (Some(boot), Some((later % 2000, Happening::Breaks))),
        };
        if let Some(at) = ready_at {
            self.plan(at, worker, Happening::Ready);
        }
        if let Some((at, what)) = then {
            self.plan(at, worker, what);
        }
    }

    fn ready(&mut self, worker: WorkerId, policy: &Policy, tape: &mut Tape) -> Input {
        if let Some(period) = policy.heartbeat {
            self.plan(millis(period), worker, Happening::Heartbeat);
        }
        if policy.memory_limit.is_some() && tape.one_in(3) {
            self.plan(u64::from(tape.choose(5000)), worker, Happening::Fat);
        }
        Input::Ready(worker)
    }

    /// A heartbeat, unless this one is lost; also plans the next one, which may be late.
    fn heartbeat(&mut self, worker: WorkerId, policy: &Policy, tape: &mut Tape) -> Option<Input> {
        let period = millis(policy.heartbeat?);
        let luck = if self.calm { 0 } else { tape.choose(16) };
        let late = if luck == 15 { period } else { 0 };
        self.plan(period + late, worker, Happening::Heartbeat);
        let process = self.processes.get_mut(&worker)?;
        process.requests += 5;
        let vitals = Vitals { requests: process.requests, connections: 1 };
        (luck != 14).then_some(Input::Heartbeat(worker, vitals))
    }

    fn drain(&mut self, worker: WorkerId, policy: &Policy, tape: &mut Tape) {
        let Some(process) = self.processes.get_mut(&worker) else { return };
        let again = std::mem::replace(&mut process.draining, true);
        let (close, slow) = (u64::from(tape.choose(150)), tape.one_in(4) && !again);
        let deadline = millis(policy.drain_timeout);
        let takes = if slow { 2 * deadline } else { u64::from(tape.choose(500)) };
        if !again {
            self.plan(close, worker, Happening::Closed);
        }
        self.plan(close + takes, worker, Happening::Exit(Exit::Code(0)));
    }

    fn signal(&mut self, worker: WorkerId, signal: Signal, tape: &mut Tape) {
        let Some(process) = self.processes.get(&worker) else { return };
        let takes = u64::from(tape.choose(u32::try_from(KILL_TAKES).expect("small")));
        // A hung process dies of ABRT if it has kept the signal's default action.
        let stubborn = process.hung && tape.choose(2) == 0;
        match signal {
            Signal::Kill => self.plan(takes, worker, Happening::Exit(Exit::Signal(9))),
            Signal::Abort if !stubborn => {
                self.plan(takes, worker, Happening::Exit(Exit::Signal(6)));
            }
            Signal::Term if !process.hung => {
                self.plan(takes, worker, Happening::Exit(Exit::Code(143)));
            }
            Signal::Abort | Signal::Term => {}
        }
    }
}
