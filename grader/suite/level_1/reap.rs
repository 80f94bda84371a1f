use std::io::{self, PipeReader, Read};
use std::thread::sleep;
use std::time::Duration;

use grader::check::ended;
use grader::probe::{Gate, Meeting, Post};
use grader::signals::{Blocked, Interruptions, interrupt_parent};
use grader::{Check, Exercise, Finding, Outcome, Value, ensure};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

use crate::level_1::reap::{self, Ending};

pub const EXERCISE: Exercise = Exercise {
    id: "reap",
    steps: &[
        ("decode", statuses),
        ("wait_for", one),
        ("reap_ended", all_ended),
        ("stop", deadline),
    ],
    programs: &[],
};

fn statuses(check: &Check) -> Outcome {
    let ends = [
        (check.fork(|| 0), Some(Ending::Code(0))),
        (check.fork(|| 300), Some(Ending::Code(44))),
        (check.fork(|| 137), Some(Ending::Code(137))),
        (check.fork(|| die_of(Signal::SIGKILL)), Some(Ending::Signal(Signal::SIGKILL))),
        (check.fork(|| die_of(Signal::SIGTERM)), Some(Ending::Signal(Signal::SIGTERM))),
        (check.fork(|| die_of(Signal::SIGSTOP)), None),
    ];
    for (pid, expected) in ends {
        let status = waitpid(pid, Some(WaitPidFlag::WUNTRACED)).map_err(|_| stolen(pid))?;
        is_decoded(check, status, expected)?;
        if expected.is_none() {
            let _ = kill(pid, Signal::SIGKILL);
            check.reap(pid)?;
        }
    }
    let me = getpid();
    let dumped = WaitStatus::Signaled(me, Signal::SIGSEGV, true);
    let segv = Some(Ending::Signal(Signal::SIGSEGV));
    is_decoded(check, dumped, segv)?;
    is_decoded(check, WaitStatus::Continued(me), None)?;
    is_decoded(check, WaitStatus::StillAlive, None)
}

fn is_decoded(check: &Check, status: WaitStatus, expected: Option<Ending>) -> Outcome {
    let seen = check.call("decode(status)", || reap::decode(status));
    ensure!(
        seen == expected,
        "reap.decoded",
        what = ended(status),
        expected = format!("{expected:?}"),
        seen = format!("{seen:?}")
    );
    Ok(())
}

fn one(check: &Check) -> Outcome {
    let elder = check.fork(|| 1);
    check.wait_for_deaths(&[elder])?;
    let me = check.me;
    let interruptions = Interruptions::count(); // before there is a worker that interrupts
    let worker = check.fork(|| {
        (0..3).for_each(|_| interrupt_parent(me));
        7
    });
    let ending = match check.call("wait_for(worker)", || reap::wait_for(worker)) {
        Err(error) if error.raw_os_error() == Some(nix::libc::EINTR) => {
            return Err(Finding::new("reap.interrupted"));
        }
        ending => check.ok(ending)?,
    };
    ensure!(
        ending == Ending::Code(7),
        "reap.other",
        expected = format!("{:?}", Ending::Code(7)),
        seen = format!("{ending:?}")
    );
    check.did(Finding::new("interrupted").with("count", interruptions.seen()));
    ensure!(interruptions.seen() > 0, "reap.uninterrupted");
    ensure!(check.is_zombie(elder), "reap.stole", pid = elder);
    check.reap(elder)?;
    let stranger = Pid::from_raw(1);
    let refused = check.call("wait_for(1)", || reap::wait_for(stranger));
    ensure!(refused.is_err(), "reap.stranger", seen = format!("{refused:?}"));
    Ok(())
}

fn all_ended(check: &Check) -> Outcome {
    are_reaped(check, Vec::new())?;
    let gate = Gate::new();
    let first = check.fork(|| 1);
    let running = check.fork(|| {
        gate.pass();
        4
    });
    let second = check.fork(|| 2);
    let killed = check.fork(|| die_of(Signal::SIGKILL));
    check.wait_for_deaths(&[first, second, killed])?;
    let expected = vec![
        (first, Ending::Code(1)),
        (second, Ending::Code(2)),
        (killed, Ending::Signal(Signal::SIGKILL)),
    ];
    are_reaped(check, expected)?;
    are_reaped(check, Vec::new())?;
    gate.open(check, 1);
    check.wait_for_deaths(&[running])?;
    are_reaped(check, vec![(running, Ending::Code(4))])
}

fn reaped(check: &Check) -> Result<Vec<(Pid, Ending)>, Finding> {
    match check.call("reap_ended()", reap::reap_ended) {
        Err(error) if error.raw_os_error() == Some(nix::libc::ECHILD) => {
            Err(Finding::new("reap.no-children"))
        }
        ended => check.ok(ended),
    }
}

fn are_reaped(check: &Check, expected: Vec<(Pid, Ending)>) -> Outcome {
    let (expected, seen) = (sorted(expected), sorted(reaped(check)?));
    ensure!(seen == expected, "reap.ended", expected = listed(&expected), seen = listed(&seen));
    Ok(())
}

fn deadline(check: &Check) -> Outcome {
    polite_ones_have_time(check)?;
    stubborn_ones_have_none_left(check)?;
    no_wait_is_longer_than_needed(check)
}

/// Two workers finish their last request, and each waits until the other one has received SIGTERM,
/// too.
fn polite_ones_have_time(check: &Check) -> Outcome {
    let (post, meeting) = (Post::new(), Meeting::new(2));
    let polite = |number: usize| {
        check.fork(|| {
            let signals = Blocked::new(Signal::SIGTERM);
            post.send("at work");
            signals.wait();
            meeting.meet(number);
            sleep(Duration::from_millis(300)); // the last request
            0
        })
    };
    let (one, other) = (polite(0), polite(1));
    let (simple, dead) = (simple(check, &post), check.fork(|| 3));
    check.wait_for_deaths(&[dead])?;
    post.receive_all(check, 3)?;
    let expected = [
        (one, Ending::Code(0)),
        (other, Ending::Code(0)),
        (simple, Ending::Signal(Signal::SIGTERM)),
        (dead, Ending::Code(3)),
    ];
    are_stopped(check, "stop(four workers, 2 s)", Duration::from_secs(2), &expected)
}

/// Two workers ignore SIGTERM. They share one deadline: when it has passed for one, it has passed
/// for the other.
fn stubborn_ones_have_none_left(check: &Check) -> Outcome {
    let post = Post::new();
    // The second worker sees the end of the pipe when the first one, which alone can write, has
    // ended.
    let (reader, writer) = io::pipe().expect("two descriptors");
    let one = stubborn(check, &post, None);
    drop(writer);
    let other = stubborn(check, &post, Some(&reader));
    post.receive_all(check, 2)?;
    let killed = Ending::Signal(Signal::SIGKILL);
    let grace = Duration::from_millis(300);
    are_stopped(
        check,
        "stop(two stubborn workers, 300 ms)",
        grace,
        &[(one, killed), (other, killed)],
    )?;
    let words: Vec<String> = std::iter::from_fn(|| post.received()).map(|(_, word)| word).collect();
    let asked = words.iter().filter(|word| *word == "will not stop").count();
    ensure!(asked <= 2, "reap.asked");
    ensure!(!words.iter().any(|word| word == "survived"), "reap.each-its-own");
    Ok(())
}

/// A worker that does not stop. If it is still alive long after the end of `sibling`, it reports
/// that.
fn stubborn(check: &Check, post: &Post, sibling: Option<&PipeReader>) -> Pid {
    check.fork(|| {
        let signals = Blocked::new(Signal::SIGTERM);
        post.send("at work");
        signals.wait();
        post.send("will not stop");
        let Some(mut sibling) = sibling else {
            loop {
                signals.wait();
                post.send("will not stop");
            }
        };
        let _ = sibling.read(&mut [0]);
        sleep(Duration::from_millis(150));
        post.send("survived");
        Gate::new().pass();
        0
    })
}

/// The worker exits at once, so `stop` must not wait for an hour.
fn no_wait_is_longer_than_needed(check: &Check) -> Outcome {
    let post = Post::new();
    let worker = simple(check, &post);
    post.receive_one(check)?;
    let expected = [(worker, Ending::Signal(Signal::SIGTERM))];
    are_stopped(check, "stop(one worker, 1 hour)", Duration::from_secs(3600), &expected)
}

/// A worker that SIGTERM kills.
fn simple(check: &Check, post: &Post) -> Pid {
    check.fork(|| {
        post.send("at work");
        Gate::new().pass();
        0
    })
}

fn are_stopped(check: &Check, call: &str, grace: Duration, expected: &[(Pid, Ending)]) -> Outcome {
    let workers: Vec<Pid> = expected.iter().map(|(pid, _)| *pid).collect();
    let seen = check.call_ok(call, || reap::stop(&workers, grace))?;
    let (expected, seen) = (sorted(expected.to_vec()), sorted(seen));
    ensure!(seen == expected, "reap.stopped", expected = listed(&expected), seen = listed(&seen));
    check.look_for_children()
}

/// The list in the order of the pids: a function may return any order.
fn sorted(mut ended: Vec<(Pid, Ending)>) -> Vec<(Pid, Ending)> {
    ended.sort_by_key(|(pid, _)| *pid);
    ended
}

fn die_of(signal: Signal) -> i32 {
    let _ = raise(signal);
    0
}

fn stolen(pid: Pid) -> Finding {
    Finding::new("stolen").with("pid", pid)
}

fn listed(ended: &[(Pid, Ending)]) -> Value {
    let line = |(pid, ending): &(Pid, Ending)| {
        Finding::new("worker-is").with("pid", *pid).with("what", format!("{ending:?}"))
    };
    Value::Lines(ended.iter().map(line).collect())
}
