//! The inside of a check: the tools with which the suite's functions call a learner's code, watch it,
//! and report what they found.
//!
//! A check runs in a process of its own, with one thread. It may fork, be interrupted and be killed;
//! whatever happens, the warden outside sees it.

use std::cell::RefCell;
use std::fmt::Debug;
use std::fs::File;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, getpid};

use crate::ROLE;
use crate::proc::{self, Descriptor, Stillness};
use crate::warden::{CROWD, STILL};
use crate::wire::{self, Finding, What, now};

/// The result of a check: nothing, or a finding that says what is wrong.
pub type Outcome = Result<(), Finding>;

/// The longest time that a check waits for a message or a change that must come. It is long so that
/// a slow or busy machine passes; if all is well, no check waits that long.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A running check: it calls, watches and reports.
#[derive(Debug)]
pub struct Check {
    /// The process of this check. Any other process that gets here is a child that has come back.
    pub me: Pid,
    pipe: File,
    /// The descriptors that may be open.
    pub(crate) descriptors: RefCell<Vec<Descriptor>>,
    /// The signals that were blocked and ignored before anything was called.
    pub(crate) signals: Option<(u64, u64)>,
    /// The learner's function that is being called, or was called last.
    pub(crate) function: RefCell<String>,
}

impl Check {
    /// Starts the check of this process, which reports through `pipe`.
    #[must_use]
    pub fn begin(pipe: File) -> Self {
        let function = RefCell::new(String::new());
        let check =
            Self { me: getpid(), pipe, descriptors: RefCell::default(), signals: None, function };
        let check = Self { signals: proc::deaf_to(check.me.as_raw()), ..check };
        check.allow_descriptors();
        check
    }

    /// Reports `what`. If that fails, the warden is gone, and there is no reader left.
    pub fn report(&self, what: What) {
        let _ = wire::write(&self.pipe, what);
    }

    /// Writes an action of the check into the timeline.
    pub fn did(&self, event: impl Into<Finding>) {
        self.report(What::Did { event: event.into() });
    }

    /// Calls code of the learner, which must return in one process only: a child that returns as
    /// well is reported, and exits here.
    pub fn call<T>(&self, function: impl Into<String>, body: impl FnOnce() -> T) -> T {
        let function = function.into();
        self.function.borrow_mut().clone_from(&function);
        self.report(What::Called { function: function.clone() });
        let answer = body();
        self.report(What::Returned { function });
        if getpid() != self.me {
            exit(0);
        }
        answer
    }

    /// Does the same for code that may return an error, where none is expected.
    ///
    /// # Errors
    /// The code returned an error.
    pub fn call_ok<T, E: Debug>(
        &self,
        function: impl Into<String>,
        body: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Finding> {
        let answer = self.call(function, body);
        self.ok(answer)
    }

    /// The answer of a learner's code, where no error is expected.
    ///
    /// # Errors
    /// The answer is an error.
    pub fn ok<T, E: Debug>(&self, answer: Result<T, E>) -> Result<T, Finding> {
        answer.map_err(|error| {
            let (function, error) = (self.function.borrow().clone(), format!("{error:?}"));
            // EINTR and ECHILD, as io::Error and as Errno show them.
            let is_news = ["Interrupted", "EINTR", "code: 10,", "ECHILD"];
            let is_news = is_news.iter().any(|one| error.contains(one));
            let id = if is_news { "error" } else { "error-other" };
            Finding::new(id).with("function", function).with("error", error)
        })
    }

    /// Ends the check at once: for a callback that finds itself in the wrong process.
    pub fn end_with(&self, finding: Finding) -> ! {
        self.report(What::Verdict { finding: Some(finding) });
        exit(0)
    }

    /// Ends the check because this machine does not have `need` (a server such as `redis`). That is
    /// not a failure, unless `WORKBOOK_NEEDS_REDIS` (for that server) says that the server is
    /// required.
    pub fn unavailable(&self, need: &str) -> ! {
        self.report(What::Unavailable { need: need.to_owned() });
        exit(0)
    }

    /// The command that starts one of the exercise's own programs, for a learner's exec.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = crate::this_program();
        command.args([ROLE, name]);
        command
    }

    /// Forks a process of the check's own. It does `work`, and exits with the code that `work`
    /// returns.
    ///
    /// # Panics
    /// There is no room for one more process.
    #[allow(unsafe_code)]
    pub fn fork(&self, work: impl FnOnce() -> i32) -> Pid {
        // SAFETY: a check has one thread, so the child gets a consistent copy of everything.
        match unsafe { nix::unistd::fork() }.expect("room for one more process") {
            ForkResult::Child => exit(work()),
            ForkResult::Parent { child } => {
                self.did(Finding::new("forked").with("pid", child));
                child
            }
        }
    }

    /// Calls `look` again and again until it finds something. Gives up if no process is left that
    /// could change anything, if all of them are sleeping and nothing happens any more, or after
    /// [`PATIENCE`].
    pub fn wait_for<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let (deadline, mut stillness) = (now() + PATIENCE, Stillness::default());
        loop {
            let others = proc::descendants(self.me.as_raw(), CROWD);
            let none_left = others.values().all(|sight| sight.state == 'Z');
            if let Some(found) = look() {
                return Some(found);
            }
            if none_left || stillness.of(&others) > STILL || now() > deadline {
                return None;
            }
            sleep(Duration::from_micros(500));
        }
    }

    /// Waits until all of `workers` are zombies.
    ///
    /// # Errors
    /// One of them is no longer a child of this process.
    pub fn wait_for_deaths(&self, workers: &[Pid]) -> Outcome {
        for worker in workers {
            if !self.is_child(*worker) {
                return Err(Finding::new("stolen").with("pid", *worker));
            }
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            while let Err(error) = waitid(Id::Pid(*worker), flags) {
                if error != Errno::EINTR {
                    return Err(Finding::new("stolen").with("pid", *worker));
                }
            }
            self.did(Finding::new("left-unreaped").with("pid", *worker));
        }
        Ok(())
    }

    /// Reaps `worker`, and returns how it ended.
    ///
    /// # Errors
    /// `worker` is not a child of this process, or no longer one.
    pub fn reap(&self, worker: Pid) -> Result<WaitStatus, Finding> {
        if !self.is_child(worker) {
            return Err(Finding::new("stolen").with("pid", worker));
        }
        loop {
            match waitpid(worker, None) {
                Ok(status) => {
                    let reaped = Finding::new("reaped").with("pid", worker);
                    self.did(reaped.with("ending", ended(status)));
                    return Ok(status);
                }
                Err(Errno::EINTR) => {}
                Err(_) => return Err(Finding::new("stolen").with("pid", worker)),
            }
        }
    }

    /// Sends `signal` to `worker`, if that is a child of this process: the pid that a learner's
    /// function returns may belong to any process.
    ///
    /// # Errors
    /// `worker` is not a child of this process.
    pub fn kill(&self, worker: Pid, signal: Signal) -> Outcome {
        if !self.is_child(worker) || kill(worker, signal).is_err() {
            return Err(Finding::new("stolen").with("pid", worker));
        }
        self.did(Finding::new("sent").with("pid", worker).with("signal", signal.as_str()));
        Ok(())
    }

    /// The children of this process that have not ended, sorted.
    #[must_use]
    pub fn running_children(&self) -> Vec<Pid> {
        let (_, mut running) = self.children();
        running.sort_unstable();
        running.into_iter().map(Pid::from_raw).collect()
    }

    /// Returns true if `worker` has ended and is waiting to be reaped by this process.
    #[must_use]
    pub fn is_zombie(&self, worker: Pid) -> bool {
        self.children().0.contains(&worker.as_raw())
    }

    /// Returns true if `worker` is a child of this process, ended or not.
    #[must_use]
    pub fn is_child(&self, worker: Pid) -> bool {
        proc::children(self.me.as_raw()).contains(&worker.as_raw())
    }

    /// The children of this process: the zombies, and the others.
    pub(crate) fn children(&self) -> (Vec<i32>, Vec<i32>) {
        let children = proc::children(self.me.as_raw());
        children.into_iter().partition(|child| proc::state(*child) == Some('Z'))
    }
}

/// The end of a process, to be put into words.
#[must_use]
pub fn ended(status: WaitStatus) -> Finding {
    match status {
        WaitStatus::Exited(_, code) => Finding::new("exited-with").with("code", code),
        WaitStatus::Signaled(_, signal, false) => {
            Finding::new("killed-by").with("signal", signal.as_str())
        }
        WaitStatus::Signaled(_, signal, true) => {
            Finding::new("dumped-core").with("signal", signal.as_str())
        }
        WaitStatus::Stopped(..) => Finding::new("was-stopped"),
        WaitStatus::Continued(_) => Finding::new("was-continued"),
        _ => Finding::new("runs-on"),
    }
}

/// Fails a check: `ensure!(condition, "the.finding", pid = worker, seen = text)`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $id:literal $(, $name:ident = $value:expr)* $(,)?) => {
        if !$condition {
            return Err($crate::Finding::new($id)$(.with(stringify!($name), $value))*);
        }
    };
}
