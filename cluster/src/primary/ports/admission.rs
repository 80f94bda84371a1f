//! Admission: clients can connect only while there is a worker, or while one is about to be ready.

use std::os::fd::AsFd;

use tracing::warn;

use super::{Admission, Plan, Ports, accepting};
use crate::listener::{Accepting, Listeners};
use crate::{Error, Result};

impl Ports {
    /// Lets clients connect, if they cannot yet. There must be a worker that will serve them.
    pub(in crate::primary) fn open(&mut self) -> Result<()> {
        if self.admission == Admission::Open {
            return Ok(());
        }
        for number in self.listeners.listen()? {
            self.note_bound(number);
        }
        self.turning_away.clear();
        if let (Plan::HandOff(_, sockets), Listeners::HandOff(listeners)) =
            (&mut self.sharing, &self.listeners)
        {
            *sockets = listeners.iter().map(|it| accepting(it.as_fd())).collect::<Result<_>>()?;
        }
        self.admission = Admission::Open;
        Ok(())
    }

    /// Returns whether clients have ever been able to connect.
    pub(in crate::primary) fn were_open(&self) -> bool {
        self.admission != Admission::NotYet
    }

    /// Refuses clients until the ports are opened again: there is no worker.
    pub(in crate::primary) fn suspend(&mut self) {
        if !matches!(self.admission, Admission::NotYet | Admission::Open) {
            return;
        }
        // Some sockets listen from the start, so this matters even before the ports are first opened.
        self.admission = Admission::Suspended;
        if let Plan::HandOff(dispatcher, sockets) = &mut self.sharing {
            sockets.clear();
            dispatcher.suspend();
        }
        match self.listeners.suspend().map_err(Error::from).and_then(|open| self.watched(&open)) {
            Ok(sockets) => self.turning_away = sockets,
            Err(error) => warn!("cannot refuse connections while there is no worker: {error}"),
        }
    }

    fn watched(&self, numbers: &[usize]) -> Result<Vec<Accepting>> {
        let (Listeners::Inherited(all) | Listeners::HandOff(all)) = &self.listeners else {
            return Ok(Vec::new());
        };
        numbers.iter().map(|&number| accepting(all[number].as_fd())).collect()
    }
}
