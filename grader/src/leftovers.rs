//! The leftovers of a check: zombies, processes, descriptors, threads, blocked signals.

use crate::check::{Check, Outcome};
use crate::proc::{self, Descriptor};
use crate::wire::{Finding, Value};

impl Check {
    /// Looks for zombies, processes and descriptors that are left behind, once everything that the
    /// check itself holds is gone.
    ///
    /// # Errors
    /// Something is left.
    pub fn look_for_leftovers(&self) -> Outcome {
        self.look_for_children()?;
        self.look_for_descriptors()?;
        let me = self.me.as_raw();
        if proc::threads(me) > 1 {
            return Err(self.left("left-thread"));
        }
        if proc::deaf_to(me) != self.signals {
            return Err(self.left("left-deaf"));
        }
        Ok(())
    }

    /// Looks for zombies and processes that are left behind.
    ///
    /// # Errors
    /// Some are left.
    pub fn look_for_children(&self) -> Outcome {
        // A process that is about to end may take a moment.
        let _ = self.wait_for(|| self.running_children().is_empty().then_some(()));
        let (zombies, running) = self.children();
        if !zombies.is_empty() {
            return Err(self.left("zombies").with("pids", Value::Pids(zombies)));
        }
        if !running.is_empty() {
            return Err(self.left("left-running").with("pids", Value::Pids(running)));
        }
        Ok(())
    }

    fn left(&self, id: &str) -> Finding {
        Finding::new(id).with("function", self.function.borrow().clone())
    }

    /// Allows all descriptors that are open now to stay open: those that a runtime keeps for the life
    /// of the process, for example.
    pub fn allow_descriptors(&self) {
        *self.descriptors.borrow_mut() = proc::descriptors(self.me.as_raw());
    }

    fn look_for_descriptors(&self) -> Outcome {
        let now = proc::descriptors(self.me.as_raw());
        let difference = |these: &[Descriptor], those: &[Descriptor]| {
            let only: Vec<String> = these
                .iter()
                .filter(|one| !those.contains(one))
                .map(|one| format!("{} ({})", one.number, one.kind))
                .collect();
            only.join(", ")
        };
        let before = self.descriptors.borrow();
        let (opened, closed) = (difference(&now, &before), difference(&before, &now));
        if !closed.is_empty() {
            return Err(self.left("closed").with("descriptors", Value::Varying(closed)));
        }
        if !opened.is_empty() {
            return Err(self.left("left-open").with("descriptors", Value::Varying(opened)));
        }
        Ok(())
    }
}
