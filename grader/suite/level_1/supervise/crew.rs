use grader::{Check, Finding, Outcome, Value, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::level_1::supervise::{Next, Ready, Supervisor};

/// A supervisor that a check drives.
pub struct Crew<'c, W> {
    pub check: &'c Check,
    pub supervisor: &'c mut Supervisor<W>,
    /// The last event among the workers: the id of its words.
    pub case: &'static str,
}

impl<W: Fn(Ready) -> i32> Crew<'_, W> {
    pub fn start(&mut self) -> Result<Pid, Finding> {
        self.check.call_ok("start()", || self.supervisor.start())
    }

    /// Calls `tend`, and compares its decisions, in any order.
    pub fn tend(&mut self, expected: &[(Pid, Next)]) -> Outcome {
        let seen = self.check.call_ok("tend()", || self.supervisor.tend())?;
        let (expected, seen) = (in_order(expected), in_order(&seen));
        let case = Finding::new(self.case);
        ensure!(
            seen == expected,
            "supervise.tended",
            case = case,
            expected = expected,
            seen = seen
        );
        Ok(())
    }

    pub fn ask_to_stop(&mut self, worker: Pid) {
        if let Some(life) = self.supervisor.workers.get_mut(&worker) {
            life.asked_to_stop = true;
        }
    }

    pub fn listed(&self) -> Vec<Pid> {
        self.supervisor.workers.keys().copied().collect()
    }

    /// Checks that there is exactly one new worker, and returns it.
    pub fn is_replaced(&self, old: &[Pid]) -> Result<Pid, Finding> {
        let listed = self.listed();
        let new: Vec<Pid> = listed.into_iter().filter(|pid| !old.contains(pid)).collect();
        ensure!(new.len() == 1, "supervise.replaced", new = new.as_slice());
        Ok(new[0])
    }

    pub fn counts(&self, expected: u32) -> Outcome {
        let seen = self.supervisor.early_deaths;
        let (expected, seen) = (expected.to_string(), seen.to_string());
        let case = Finding::new(self.case);
        ensure!(
            seen == expected,
            "supervise.counted",
            case = case,
            expected = expected,
            seen = seen
        );
        Ok(())
    }

    /// Checks that there are as many workers as there should be: on the list, and running.
    pub fn is_kept(&self, expected: usize) -> Outcome {
        let (listed, running) = (self.listed(), self.check.running_children());
        let right = listed == running && running.len() == expected;
        ensure!(
            right,
            "supervise.kept",
            case = Finding::new(self.case),
            expected = expected,
            listed = listed.as_slice(),
            running = running.as_slice()
        );
        Ok(())
    }

    /// Kills the workers that are left.
    pub fn end(&mut self) -> Outcome {
        for worker in self.check.running_children() {
            self.check.kill(worker, Signal::SIGKILL)?;
            self.check.reap(worker)?;
        }
        Ok(())
    }
}

fn in_order(decided: &[(Pid, Next)]) -> Value {
    let mut decided = decided.to_vec();
    decided.sort_by_key(|(pid, _)| *pid);
    let line = |(pid, next): &(Pid, Next)| {
        Finding::new("worker-is").with("pid", *pid).with("what", format!("{next:?}"))
    };
    Value::Lines(decided.iter().map(line).collect())
}
