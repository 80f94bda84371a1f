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
        post.send("at work");
        if getpid() != check.me {
            gate.pass(); // the primary would wait here forever
        }
        7
    };
    let worker = check.call_ok("fork_worker(work)", || spawn::fork_worker(work))?;
    let (speaker, _) = post.receive_one(check)?;
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
        post.send(&number.to_string());
        if getpid() != check.me {
            gate.pass();
        }
        10 + i32::try_from(number).unwrap_or_default()
    };
    let workers = check.call_ok("fork_workers(4, work)", || spawn::fork_workers(COUNT, work))?;
    let mut words = post.receive_all(check, COUNT)?;
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
    let more = post.received();
    ensure!(more.is_none(), "spawn.more-work");
    Ok(())
}

fn one_answer(check: &Check) -> Outcome {
    for length in [0, 5, 1 << 20] {
        let work = || format!("{} {}", getpid(), text(length));
        let answer = check.call_ok("ask_worker(work)", || spawn::ask_worker(work))?;
        is_answer(check, &answer, &text(length))?;
        check.look_for_leftovers()?;
    }
    let empty = check.call_ok("ask_worker(work)", || spawn::ask_worker(String::new))?;
    ensure!(empty.is_empty(), "spawn.answer", expected = 0, seen = empty.len());
    let elder = check.fork(|| 1);
    check.wait_for_deaths(&[elder])?;
    check.call_ok("ask_worker(work)", || spawn::ask_worker(String::new))?;
    ensure!(check.is_zombie(elder), "reap.stole", pid = elder);
    check.reap(elder)?;
    for dies in [|| exit(3), || killed_by(Signal::SIGKILL)] {
        let answer = check.call("ask_worker(dying work)", || spawn::ask_worker(dies));
        ensure!(answer.is_err(), "spawn.half-answer", seen = format!("{answer:?}"));
        check.look_for_leftovers()?;
    }
    Ok(())
}

fn killed_by(signal: Signal) -> String {
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
        format!("{} {number}{}", getpid(), text(LENGTH))
    };
    let answers = check.call_ok("ask_workers(4, work)", || spawn::ask_workers(COUNT, work))?;
    ensure!(answers.len() == COUNT, "spawn.answers", expected = COUNT, seen = answers.len());
    for (number, answer) in answers.iter().enumerate() {
        let begin = answer.split_once(' ').and_then(|(_, text)| text.get(..1)).unwrap_or_default();
        let right = begin == number.to_string();
        ensure!(right, "spawn.answer-order", number = number, seen = begin);
        is_answer(check, answer, &format!("{number}{}", text(LENGTH)))?;
    }
    drop(meeting);
    check.look_for_leftovers()?;
    let dies = |number: usize| if number == 1 { exit(3) } else { number.to_string() };
    let answers = check.call("ask_workers(3, dying work)", || spawn::ask_workers(3, dies));
    ensure!(answers.is_err(), "spawn.half-answer", seen = format!("{answers:?}"));
    check.look_for_leftovers()
}

/// A text in which no two parts are the same, in letters of several bytes, so that a missing piece
/// is noticed, and so is a letter that was cut in two.
fn text(length: usize) -> String {
    (0..)
        .flat_map(|number: u32| format!("{number} €").chars().collect::<Vec<_>>())
        .take(length)
        .collect()
}

/// Checks an answer: the pid of the process that wrote it, and a text that is known.
fn is_answer(check: &Check, answer: &str, expected: &str) -> Outcome {
    let (pid, text) = answer.split_once(' ').unwrap_or_default();
    ensure!(pid != check.me.to_string(), "spawn.in-primary");
    ensure!(text == expected, "spawn.answer", expected = expected.len(), seen = text.len());
    Ok(())
}
