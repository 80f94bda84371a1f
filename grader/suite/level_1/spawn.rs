use std::process::exit;

use grader::check::ended;
use grader::probe::{Gate, Meeting, Post};
use grader::{Check, Exercise, Outcome, ensure};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::WaitStatus;
use nix::unistd::getpid;

use crate::level_1::spawn;

pub const EXERCISE: Exercise = Exercise {
    id: "spawn",
    steps: &[
        ("fork_worker", one_worker),
        ("fork_workers", several_workers),
        ("ask_worker", one_answer),
        ("ask_workers", several_answers),
    ],
    programs: &[],
};

fn one_worker(check: &Check) -> Outcome {
    let (post, gate) = (Post::new(), Gate::new());
    let work = || {
        post.tell("at work");
        if getpid() != check.me {
            gate.pass(); // the primary would wait here for ever
        }
        7
    };
    let worker = check.call_ok("fork_worker(work)", || spawn::fork_worker(work))?;
    let (speaker, _) = post.hear_one(check)?;
    ensure!(speaker != check.me, "spawn.in-primary");
    ensure!(speaker == worker, "spawn.pid", returned = worker, worker = speaker);
    gate.open(check, 1);
    let status = check.reap(worker)?;
    let right = status == WaitStatus::Exited(worker, 7);
    ensure!(right, "spawn.code", expected = 7, seen = ended(status));
    Ok(())
}

fn several_workers(check: &Check) -> Outcome {
    const COUNT: usize = 4;
    let (post, gate) = (Post::new(), Gate::new());
    let work = |number: usize| {
        post.tell(&number.to_string());
        if getpid() != check.me {
            gate.pass();
        }
        10 + i32::try_from(number).unwrap_or_default()
    };
    let workers = check.call_ok("fork_workers(4, work)", || spawn::fork_workers(COUNT, work))?;
    let mut words = post.hear_all(check, COUNT)?;
    ensure!(words.iter().all(|(pid, _)| *pid != check.me), "spawn.in-primary");
    words.sort_by(|(_, one), (_, other)| one.cmp(other));
    let numbers: Vec<&str> = words.iter().map(|(_, number)| number.as_str()).collect();
    ensure!(numbers == ["0", "1", "2", "3"], "spawn.numbers", seen = numbers.join(", "));
    let speakers: Vec<_> = words.iter().map(|(pid, _)| *pid).collect();
    ensure!(
        speakers == workers,
        "spawn.pids",
        returned = workers.as_slice(),
        workers = speakers.as_slice()
    );
    gate.open(check, COUNT);
    for (expected, worker) in (10..).zip(workers) {
        let status = check.reap(worker)?;
        let right = status == WaitStatus::Exited(worker, expected);
        ensure!(right, "spawn.code", expected = expected, seen = ended(status));
    }
    let more = post.heard();
    ensure!(more.is_none(), "spawn.more-work");
    Ok(())
}

fn one_answer(check: &Check) -> Outcome {
    for length in [5, 1 << 20] {
        let work = || format!("{} {}", getpid(), "x".repeat(length));
        let answer = check.call_ok("ask_worker(work)", || spawn::ask_worker(work))?;
        is_answer(check, &answer, length)?;
        check.look_for_leftovers()?;
    }
    for dies in [|| exit(3), || die_of(Signal::SIGKILL)] {
        let answer = check.call("ask_worker(dying work)", || spawn::ask_worker(dies));
        ensure!(answer.is_err(), "spawn.half-answer", seen = format!("{answer:?}"));
        check.look_for_leftovers()?;
    }
    Ok(())
}

fn die_of(signal: Signal) -> String {
    let _ = raise(signal);
    String::new()
}

fn several_answers(check: &Check) -> Outcome {
    const COUNT: usize = 4;
    const LENGTH: usize = 200_000;
    let meeting = Meeting::new(COUNT);
    let work = |number: usize| {
        if getpid() != check.me {
            meeting.meet(number);
        }
        format!("{} {number}{}", getpid(), "x".repeat(LENGTH - 1))
    };
    let answers = check.call_ok("ask_workers(4, work)", || spawn::ask_workers(COUNT, work))?;
    ensure!(answers.len() == COUNT, "spawn.answers", expected = COUNT, seen = answers.len());
    for (number, answer) in answers.iter().enumerate() {
        is_answer(check, answer, LENGTH)?;
        let rest = answer.split_once(' ').map(|(_, rest)| rest).unwrap_or_default();
        let right = rest.starts_with(&number.to_string());
        ensure!(right, "spawn.answer-order", number = number, seen = &rest[..1]);
    }
    drop(meeting);
    check.look_for_leftovers()?;
    let dies = |number: usize| if number == 1 { exit(3) } else { number.to_string() };
    let answers = check.call("ask_workers(3, dying work)", || spawn::ask_workers(3, dies));
    ensure!(answers.is_err(), "spawn.half-answer", seen = format!("{answers:?}"));
    check.look_for_leftovers()
}

/// An answer is the pid of who wrote it, and a text of a known length.
fn is_answer(check: &Check, answer: &str, length: usize) -> Outcome {
    let (pid, text) = answer.split_once(' ').unwrap_or_default();
    ensure!(text.len() == length, "spawn.answer", expected = length, seen = text.len());
    ensure!(pid != check.me.to_string(), "spawn.in-primary");
    Ok(())
}
