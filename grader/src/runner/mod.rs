//! The runner: one trial for each step, and the last line after all of them.

mod orphans;

use std::env;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::FalseyValueParser;
use libtest_mimic::{Arguments, ColorSetting, Completion, Failed, Trial};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{SigHandler, Signal, signal};

use self::orphans::Wardens;
use crate::catalogue::Step;
use crate::report::{self, Graded, Look, State};
use crate::verdict::Verdict;
use crate::warden::Report;
use crate::wire::Finding;
use crate::{Exercise, ROLE, Result, Subject, proc, this_program};

/// The time that a warden may take after its deadline: it has to kill what is left.
const MARGIN: Duration = Duration::from_secs(20);

/// The time between two looks of the runner at a warden, in milliseconds.
const LOOK: u8 = 200;

/// Watches your code at work, and explains what it saw
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Count a step that is not started as failed
    #[arg(long, env = "GRADER_STRICT", value_parser = FalseyValueParser::new())]
    strict: bool,
    /// Also write the verdicts to this file, one line of JSON each
    #[arg(long, value_name = "FILE", env = "GRADER_JSON")]
    json: Option<PathBuf>,
    /// Also write the verdicts to this file, in the XML of `JUnit`
    #[arg(long, value_name = "FILE", env = "GRADER_JUNIT")]
    junit: Option<PathBuf>,
    /// The longest time that one check may take, in seconds
    #[arg(long, value_name = "SECONDS", env = "GRADER_DEADLINE", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600))]
    deadline: u64,
    /// The width of an explanation, in columns
    #[arg(long, value_name = "COLUMNS", default_value_t = 96)]
    width: usize,
    #[command(flatten)]
    test: Arguments,
}

/// The whole run.
#[must_use]
pub fn main(subject: Subject, exercises: &[Exercise]) -> ExitCode {
    reset_signals();
    let mut options = Options::parse();
    // In order, and each with all the cores to itself: a check takes milliseconds, and the list is
    // read from the top.
    let threads = options.test.test_threads.get_or_insert(1);
    *threads = (*threads).max(1);
    match run(subject, exercises, &options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(subject: Subject, exercises: &[Exercise], options: &Options) -> Result<ExitCode> {
    let steps = Step::all(subject.package, exercises)?;
    let file = |path: &Option<PathBuf>| create(path.as_ref().filter(|_| !options.test.list));
    let (json, junit) = (file(&options.json)?, file(&options.junit)?);
    let shop = Arc::new(Shop {
        strict: options.strict || subject.strict,
        look: Look { colours: colours(&options.test), width: options.width.max(40) },
        deadline: options.deadline,
        wardens: Wardens::adopt_orphans()?,
        graded: Mutex::default(),
    });
    let trials = steps.iter().map(|step| trial(step.clone(), &options.test, &shop)).collect();
    let conclusion = libtest_mimic::run(&options.test, trials);
    if options.test.list {
        return Ok(ExitCode::SUCCESS);
    }
    let mut graded = shop.graded.lock().unwrap_or_else(PoisonError::into_inner).split_off(0);
    let place = |one: &Graded| steps.iter().position(|step| step.trial == one.step.trial);
    graded.sort_by_key(place);
    println!("{}", report::footer(&graded));
    if let Some(file) = json {
        report::json(&graded, options.width, file)?;
    }
    if let Some(file) = junit {
        report::junit(subject.package, &graded, options.width, file)?;
    }
    Ok(conclusion.exit_code())
}

/// Creates a file before the first check runs, so that a missing folder is reported at once.
fn create(path: Option<&PathBuf>) -> Result<Option<File>> {
    let path = path.filter(|path| !path.as_os_str().is_empty());
    let open = |path: &PathBuf| {
        File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    Ok(path.map(open).transpose()?)
}

fn colours(arguments: &Arguments) -> bool {
    match arguments.color {
        Some(ColorSetting::Always) => true,
        Some(ColorSetting::Never) => false,
        _ => {
            let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            io::stdout().is_terminal() && !refused && arguments.logfile.is_none()
        }
    }
}

/// The state that all trials share.
struct Shop {
    strict: bool,
    look: Look,
    deadline: u64,
    wardens: Wardens,
    graded: Mutex<Vec<Graded>>,
}

fn trial(step: Step, arguments: &Arguments, shop: &Arc<Shop>) -> Trial {
    // Test runners that ask for a list first believe its account of ignored tests.
    let asked = arguments.list || arguments.ignored || arguments.include_ignored;
    let ignored = asked && !shop.strict && step.has_hole();
    let (name, shop) = (step.trial.clone(), Arc::clone(shop));
    Trial::ignorable_test(name, move || grade(step, &shop)).with_ignored_flag(ignored)
}

fn grade(step: Step, shop: &Shop) -> std::result::Result<Completion, Failed> {
    let report = run_check(&step, shop).unwrap_or_else(|error| {
        let broken = Finding::new("grader-failed").with("error", error.to_string());
        without_warden(&step, broken)
    });
    let graded = Graded { step, report, strict: shop.strict };
    let text = report::text(&graded, shop.look);
    let verdict = match graded.state() {
        State::Done => Ok(Completion::Completed),
        // Nextest asks for a list first; a test that turns out to be ignored only now would be shown
        // as passed.
        State::NotStarted | State::Unavailable if env::var_os("NEXTEST").is_some() => {
            Err(Failed::from(report::ignored(&graded)))
        }
        State::NotStarted | State::Unavailable => {
            Ok(Completion::ignored_with(report::ignored(&graded)))
        }
        State::Failing => Err(Failed::from(text)),
    };
    shop.graded.lock().unwrap_or_else(PoisonError::into_inner).push(graded);
    verdict
}

/// Runs one check under a warden of its own, in a folder of its own.
fn run_check(step: &Step, shop: &Shop) -> Result<Report> {
    let folder = tempfile::Builder::new().prefix("workbook-").tempdir()?;
    let seconds = shop.deadline.to_string();
    let mut command = this_program();
    command.args([ROLE, "warden", &step.trial, &seconds]).current_dir(folder.path());
    // The warden never reads this pipe, but it notices the end of the pipe: the end of this process.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut warden = shop.wardens.start(&mut command)?;
    let _alive: Option<ChildStdin> = warden.stdin.take();
    let limit = Instant::now() + Duration::from_secs(shop.deadline) + MARGIN;
    let written = read_report(&mut warden, limit);
    let _ = warden.kill(); // it has written its report, or never will
    let status = shop.wardens.ended(&mut warden)?;
    match serde_json::from_slice(&written?) {
        Ok(report) => Ok(report),
        Err(_) if status.code().is_some() => {
            Err("its warden has failed: see its error above".into())
        }
        Err(_) => Ok(without_warden(step, Finding::new("warden-gone"))),
    }
}

/// The report for a warden that has not written one.
fn without_warden(step: &Step, finding: Finding) -> Report {
    let (trial, verdict) = (step.trial.clone(), Verdict::Failed(finding));
    let (timeline, output, took) = (Vec::new(), String::new(), Duration::ZERO);
    Report { trial, verdict, check: 0, timeline, output, took }
}

/// Resets SIGPIPE and SIGCHLD. `cargo test -p exercises | head` closes our stdout: that ends this
/// program like any other, and the wardens notice its end; std would make it panic instead. And the
/// parent of this process may have ignored SIGCHLD, in which case the kernel would reap our
/// children.
#[allow(unsafe_code)]
fn reset_signals() {
    for default in [Signal::SIGPIPE, Signal::SIGCHLD] {
        // SAFETY: the default action is not a handler of ours.
        let _ = unsafe { signal(default, SigHandler::SigDfl) };
    }
}

/// Reads until the end of the report, until `limit`, or until a signal has stopped the warden.
fn read_report(warden: &mut Child, limit: Instant) -> Result<Vec<u8>> {
    let mut written = Vec::new();
    let pid = warden.id().cast_signed();
    let Some(stdout) = &mut warden.stdout else { return Ok(written) };
    let mut bytes = [0; 16 * 1024];
    loop {
        match poll(&mut [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)], LOOK) {
            // Only if there is nothing to read: perhaps this process slept for an hour.
            Ok(0) if Instant::now() > limit || matches!(proc::state(pid), Some('T' | 't')) => break,
            Ok(0) | Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        match stdout.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => written.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(written)
}
