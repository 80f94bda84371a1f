//! Grades the exercises of the workbook by watching real processes.
//!
//! `cargo test -p exercises` is a test target of ten lines that calls [`main`]. Everything else is
//! here:
//!
//! ```text
//! runner                   warden, one for each check       check
//! (libtest-mimic)     ┌──▶ subreaper, blocks signals   ──▶  own session, one thread,
//! names, filters,     │    watches /proc, keeps the        calls the learner's code
//! footer, JSON, JUnit ◀────┘ deadline, kills the rest    ◀── records through a pipe
//! ```
//!
//! The runner starts a warden for each check, and the warden starts a process for the check itself;
//! the findings of the check go to the warden, and the warden's report goes to the runner.
//!
//! | module | what it is for |
//! |---|---|
//! | [`check`], [`leftovers`], [`probe`], [`pieces`], [`signals`] | inside a check: call a learner's code, watch it from all sides |
//! | [`stage`] | the process of a check |
//! | [`proc`] | the contents of `/proc` |
//! | [`wire`] | the reports of a check to its warden |
//! | [`warden`] | starts one check, watches it, kills what is left |
//! | [`verdict`] | from observations to a verdict; pure |
//! | [`words`] | every sentence that a learner reads; one module per language |
//! | [`catalogue`] | the exercises, as `workbook.toml` lists them |
//! | [`runner`], [`report`] | the trials, and how their verdicts are shown |
//!
//! The suite itself is in `grader/suite`. It is compiled twice: against `exercises`, and against
//! `solutions`, which must pass it.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this workbook watches Linux processes. On Windows use WSL2; on any other system open the \
     folder in the dev container (.devcontainer), which has everything that is needed."
);

pub mod catalogue;
pub mod check;
pub mod leftovers;
pub mod pieces;
pub mod probe;
pub mod proc;
pub mod report;
pub mod runner;
pub mod signals;
pub mod stage;
pub mod verdict;
pub mod warden;
pub mod wire;
pub mod words;

use std::env;
use std::ffi::CString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::prctl;

pub use check::{Check, Outcome};
pub use wire::{Finding, Value};

/// An error that can be shown to a user in one line.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The checks of one exercise, in the order of its steps.
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    /// Its id in `workbook.toml`.
    pub id: &'static str,
    /// For each step, the function that the learner writes, and its check.
    pub steps: &'static [(&'static str, CheckOfStep)],
    /// Programs that the learner's code starts by exec, for a check: see [`Check::program`].
    pub programs: &'static [(&'static str, Program)],
}

/// The `main` of a program of a check.
pub type Program = fn() -> ExitCode;

/// The package whose code is graded.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its name, `exercises` or `solutions`.
    pub package: &'static str,
    /// If true, a step that is not started counts as failed.
    pub strict: bool,
}

/// A function that watches a learner's function at work.
pub type CheckOfStep = fn(&Check) -> Outcome;

/// This very program, even if its file has been replaced since: a learner may save and build again
/// while the checks are running.
fn this_program() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(env::current_exe().unwrap_or_default());
    command
}

/// The argument of our processes other than the runner: `--grader-role warden reap::1`.
pub const ROLE: &str = "--grader-role";

/// The whole program: the runner, a warden, a check, or a program of a check, as the arguments say.
#[must_use]
pub fn main(subject: Subject, exercises: &[Exercise]) -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    if let [ROLE, role, ..] = words[..] {
        // For `ps`: the process was started as /proc/self/exe, and would be called "exe".
        let _ = CString::new(role).map(|role| prctl::set_name(&role));
    }
    match words[..] {
        [ROLE, "warden", trial, seconds] => {
            warden::main(trial, Duration::from_secs(seconds.parse().unwrap_or(10)))
        }
        [ROLE, "check", trial] => stage::main(trial, exercises),
        [ROLE, name] => {
            let mut programs = exercises.iter().flat_map(|exercise| exercise.programs);
            programs.find(|(known, _)| *known == name).map_or(ExitCode::FAILURE, |(_, run)| run())
        }
        _ if env::var_os(wire::PIPE).is_some() => {
            eprintln!("this program was started from a check, by exec without its arguments");
            ExitCode::FAILURE
        }
        _ => runner::main(subject, exercises),
    }
}
