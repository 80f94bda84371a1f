//! The process of a check: prepares itself, calls the check's function, reports the verdict.

use std::env;
use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, Signal};
use nix::unistd::{getppid, setsid};

use crate::check::Check;
use crate::wire::{self, What};
use crate::{CheckOfStep, Exercise, Result};

/// The memory that each process of a check may write to, in bytes: code that believes a false length
/// must not exhaust the machine.
const MEMORY: u64 = 1 << 30;

/// The process of a check.
#[must_use]
pub fn main(trial: &str, exercises: &[Exercise]) -> ExitCode {
    let (pipe, body) = match settle().and_then(|pipe| Ok((pipe, find(trial, exercises)?))) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("error: the check {trial}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let check = Check::begin(pipe);
    let Ok(outcome) = panic::catch_unwind(AssertUnwindSafe(|| {
        body(&check).and_then(|()| check.look_for_leftovers())
    })) else {
        return ExitCode::from(101); // it has been reported
    };
    check.report(What::Verdict { finding: outcome.err() });
    ExitCode::SUCCESS
}

/// Prepares this process for a check, and opens its pipe.
#[allow(unsafe_code)]
fn settle() -> Result<File> {
    let warden = getppid();
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() != warden {
        return Err("the warden has died".into());
    }
    SigSet::all().thread_unblock()?; // the warden has blocked them, and that is inherited
    // The process that started the tests may ignore signals, and that is inherited, too. (A closed
    // pipe is reported by an error, as in std.)
    for signal in Signal::iterator().filter(|signal| *signal != Signal::SIGPIPE) {
        // SAFETY: the default action is not a handler of ours. SIGKILL and SIGSTOP refuse it.
        let _ = unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) };
    }
    setsid()?; // no group and no terminal shared with other processes
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let (_, most) = getrlimit(Resource::RLIMIT_DATA)?;
    let memory = MEMORY.min(most);
    setrlimit(Resource::RLIMIT_DATA, memory, memory)?;
    // The number stays as it is, for `hole!`, but no program started from here inherits the pipe.
    // SAFETY: the warden opened it for this process, and nothing else here knows about it.
    let pipe = File::from(unsafe { OwnedFd::from_raw_fd(env::var(wire::PIPE)?.parse()?) });
    fcntl(&pipe, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    report_panics(pipe.try_clone()?);
    Ok(pipe)
}

fn find(trial: &str, exercises: &[Exercise]) -> Result<CheckOfStep> {
    let (id, number) = trial.split_once("::").ok_or("a trial has a name like reap::1")?;
    let exercise = exercises.iter().find(|exercise| exercise.id == id).ok_or("no such exercise")?;
    let index = number.parse::<usize>()?.checked_sub(1).ok_or("steps are counted from 1")?;
    Ok(exercise.steps.get(index).ok_or("no such step")?.1)
}

/// Reports panics instead of printing them: the warden shows them with everything else.
fn report_panics(pipe: File) {
    panic::set_hook(Box::new(move |info| {
        let message = payload(info);
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = format!("{message} ({place})");
        let _ = wire::write(&pipe, What::Panicked { message });
    }));
}

/// The message of a panic.
fn payload<'i>(info: &'i PanicHookInfo<'_>) -> &'i str {
    let text = info.payload().downcast_ref::<String>().map(String::as_str);
    text.or_else(|| info.payload().downcast_ref().copied()).unwrap_or("…")
}
