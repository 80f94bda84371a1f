mod crew;

use std::cell::Cell;
use std::io::ErrorKind;

use grader::check::ended;
use grader::probe::{Gate, Meeting, Post};
use grader::signals::{Blocked, Interruptions, interrupt_parent};
use grader::{Check, Exercise, Finding, Outcome, ensure};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, getpid};

use self::crew::Crew;
use crate::level_1::supervise::{self, Life, Next, Ready, Supervisor};

pub const EXERCISE: Exercise = Exercise {
    id: "supervise",
    steps: &[
        ("decide", rule),
        ("start", start),
        ("tend", tend),
        ("retire", retire),
        ("stop", stop),
    ],
    programs: &[],
};

/// The number of early deaths in a row that is too many in these checks.
const LIMIT: u32 = 3;

fn rule(check: &Check) -> Outcome {
    for (asked_to_stop, was_ready) in [(false, true), (false, false), (true, true), (true, false)] {
        for limit in 1..=3 {
            for early_deaths in 0..=5 {
                let life = Life { was_ready, asked_to_stop };
                let expected = match (asked_to_stop, was_ready) {
                    (true, _) => Next::Leave,
                    (false, false) if early_deaths >= limit => Next::GiveUp,
                    (false, _) => Next::Replace,
                };
                let seen = check.call("decide(life, early_deaths, limit)", || {
                    supervise::decide(life, early_deaths, limit)
                });
                ensure!(
                    seen == expected,
                    "supervise.rule",
                    life = format!("was_ready: {was_ready}, asked_to_stop: {asked_to_stop}"),
                    deaths = early_deaths.to_string(),
                    limit = limit.to_string(),
                    expected = format!("{expected:?}"),
                    seen = format!("{seen:?}")
                );
            }
        }
    }
    Ok(())
}

fn start(check: &Check) -> Outcome {
    let (post, gate) = (Post::new(), Gate::new());
    let work = |ready: Ready| {
        if getpid() == check.me {
            check.end_with(Finding::new("supervise.in-primary"));
        }
        post.send("at work");
        gate.pass();
        ready.tell();
        post.send("ready");
        gate.pass();
        7
    };
    let mut supervisor = check.ok(Supervisor::new(LIMIT, work))?;
    let worker = check.call_ok("start()", || supervisor.start())?;
    let (speaker, _) = post.receive_one(check)?;
    ensure!(speaker == worker, "spawn.pid", returned = worker, worker = speaker);
    let life = supervisor.workers.get(&worker).copied();
    let fresh = life == Some(Life::default()) && supervisor.workers.len() == 1;
    ensure!(fresh, "supervise.listed", pid = worker, seen = format!("{life:?}"));
    gate.open(check, 1);
    post.receive_one(check)?;
    check.ok(supervisor.read_reports())?;
    let was_ready = supervisor.workers.get(&worker).is_some_and(|life| life.was_ready);
    ensure!(was_ready, "supervise.unheard");
    gate.open(check, 1);
    let status = check.reap(worker)?;
    let right = status == WaitStatus::Exited(worker, 7);
    ensure!(right, "spawn.code", expected = 7, seen = ended(status));
    Ok(())
}

/// The behaviour of the workers of a check. A child keeps the value from the moment of its fork.
#[derive(Clone, Copy)]
enum Mode {
    /// Is ready, and waits to be killed.
    Work,
    /// Is ready, and exits with code 0 at once.
    ReadyAndGone,
    /// Exits before it is ready, once the check lets it.
    Broken,
}

fn tend(check: &Check) -> Outcome {
    let (post, gate, mode) = (Post::new(), Gate::new(), Cell::new(Mode::Work));
    let work = |ready: Ready| {
        if getpid() == check.me {
            check.end_with(Finding::new("supervise.in-primary"));
        }
        if matches!(mode.get(), Mode::Broken) {
            gate.pass();
            return 1;
        }
        ready.tell();
        if matches!(mode.get(), Mode::ReadyAndGone) {
            return 0;
        }
        post.send("ready");
        Gate::new().pass();
        0
    };
    let mut supervisor = check.ok(Supervisor::new(LIMIT, work))?;
    let mut crew = Crew { check, supervisor: &mut supervisor, case: "when-none" };
    let workers = [crew.start()?, crew.start()?, crew.start()?];
    post.receive_all(check, 3)?;
    crew.tend(&[])?;

    crew.case = "when-two";
    for worker in &workers[..2] {
        check.kill(*worker, Signal::SIGKILL)?;
    }
    check.wait_for_deaths(&workers[..2])?;
    crew.tend(&[(workers[0], Next::Replace), (workers[1], Next::Replace)])?;
    crew.is_kept(3)?;
    post.receive_all(check, 2)?;

    crew.case = "when-asked";
    crew.supervisor.early_deaths = 2;
    crew.ask_to_stop(workers[2]);
    check.kill(workers[2], Signal::SIGTERM)?;
    check.wait_for_deaths(&[workers[2]])?;
    crew.tend(&[(workers[2], Next::Leave)])?;
    crew.counts(2)?;

    mode.set(Mode::Broken);
    cannot_start(&mut crew, &gate)?;

    crew.case = "when-ready-and-gone";
    mode.set(Mode::ReadyAndGone);
    let gone = crew.start()?;
    check.wait_for_deaths(&[gone])?;
    mode.set(Mode::Work);
    crew.tend(&[(gone, Next::Replace)])?;
    crew.counts(0)?;
    crew.is_kept(3)?;
    post.receive_one(check)?;
    crew.end()
}

/// A program that cannot start: after the third early death in a row the supervisor gives up.
fn cannot_start<W: Fn(Ready) -> i32>(crew: &mut Crew<'_, W>, gate: &Gate) -> Outcome {
    crew.case = "when-early";
    crew.supervisor.early_deaths = 0;
    let old = crew.listed();
    let mut dying = crew.start()?;
    for (deaths, next) in [(1, Next::Replace), (2, Next::Replace), (3, Next::GiveUp)] {
        gate.open(crew.check, 1);
        crew.check.wait_for_deaths(&[dying])?;
        crew.tend(&[(dying, next)])?;
        crew.counts(deaths)?;
        if next == Next::Replace {
            dying = crew.is_replaced(&old)?;
        }
    }
    crew.is_kept(2)?;
    // Two more at the same time: the first one's GiveUp is not a reason to forget the second.
    let two = [crew.start()?, crew.start()?];
    gate.open(crew.check, 2);
    crew.check.wait_for_deaths(&two)?;
    crew.tend(&two.map(|pid| (pid, Next::GiveUp)))?;
    crew.counts(LIMIT + 2)?;
    crew.is_kept(2)
}

fn retire(check: &Check) -> Outcome {
    let post = Post::new();
    let work = |ready: Ready| {
        ready.tell();
        post.send("ready");
        Gate::new().pass();
        0
    };
    let mut supervisor = check.ok(Supervisor::new(LIMIT, work))?;
    let mut crew = Crew { check, supervisor: &mut supervisor, case: "when-none" };
    let (one, other) = (crew.start()?, crew.start()?);
    post.receive_all(check, 2)?;
    let gate = Gate::new();
    let bystander = check.fork(|| {
        gate.pass();
        5
    });
    check.call_ok(format!("retire({one})"), || crew.supervisor.retire(one))?;
    let asked = crew.supervisor.workers.get(&one).is_some_and(|life| life.asked_to_stop);
    ensure!(asked, "supervise.intent", pid = one);
    check.wait_for_deaths(&[one])?;
    let refused = check.call("retire(an unlisted pid)", || crew.supervisor.retire(bystander));
    let kind = refused.map_err(|error| error.kind());
    gate.open(check, 1);
    let status = check.reap(bystander)?;
    let unharmed = status == WaitStatus::Exited(bystander, 5);
    let right = unharmed && kind == Err(ErrorKind::NotFound);
    ensure!(right, "supervise.stranger", seen = format!("{kind:?}"), ending = ended(status));
    let life = crew.supervisor.workers.get(&other).copied();
    let spared = life.is_some_and(|life| !life.asked_to_stop) && !check.is_zombie(other);
    ensure!(spared, "supervise.spared", pid = other);
    let status = check.reap(one)?;
    let right = status == WaitStatus::Signaled(one, Signal::SIGTERM, false);
    ensure!(right, "supervise.signal", seen = ended(status));
    crew.supervisor.workers.remove(&one);
    crew.end()
}

fn stop(check: &Check) -> Outcome {
    let (post, meeting, number) = (Post::new(), Meeting::new(2), Cell::new(0));
    let work = |ready: Ready| {
        let signals = Blocked::new(Signal::SIGTERM);
        ready.tell();
        post.send("ready");
        if number.get() == 2 {
            return 0; // ended before any worker gets SIGTERM
        }
        signals.wait();
        meeting.meet(number.get());
        interrupt_parent(check.me);
        0
    };
    let mut supervisor = check.ok(Supervisor::new(LIMIT, work))?;
    let mut crew = Crew { check, supervisor: &mut supervisor, case: "when-none" };
    let mut workers = Vec::new();
    for which in 0..3 {
        number.set(which);
        workers.push(crew.start()?);
    }
    post.receive_all(check, 3)?;
    check.wait_for_deaths(&workers[2..])?;
    let _interruptions = Interruptions::count();
    check.call_ok("stop()", || crew.supervisor.stop())?;
    let left = crew.listed();
    ensure!(left.is_empty(), "supervise.still-listed", pids = left.as_slice());
    let early: Vec<Pid> = workers.into_iter().filter(|worker| check.is_child(*worker)).collect();
    ensure!(early.is_empty(), "supervise.returned-early", pids = early.as_slice());
    ensure!(post.received().is_none(), "supervise.replaced-in-stop");
    Ok(())
}
