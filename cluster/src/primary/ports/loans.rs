//! Listening sockets that workers have not inherited: those of slots without a worker, and those that
//! were rebound after a worker was started.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};

use tracing::{info, warn};

use super::stop::QUEUE;
use super::{Admission, Plan, Ports, accepting};
use crate::dispatch::channel::Sender;
use crate::dispatch::wire::Order;
use crate::listener::{Listeners, Loan};
use crate::supervisor::SlotId;
use crate::{Error, Result};

impl Ports {
    pub(super) fn carry_out(&mut self, loans: Vec<Loan>) {
        let mut loans = VecDeque::from(loans);
        while let Some(loan) = loans.pop_front() {
            let Err(error) = self.lend(loan) else { continue };
            warn!("cannot lend or take back a listening socket: {error}");
            if let (Loan::Lend { to, .. }, Plan::ReusePort(lending, _)) = (loan, &mut self.sharing)
            {
                loans.extend(lending.left(to)); // another worker, until none is left
            }
        }
    }

    fn lend(&mut self, loan: Loan) -> Result<()> {
        let Plan::ReusePort(_, senders) = &self.sharing else { return Ok(()) };
        match loan {
            Loan::Lend { slot, to } => {
                let sockets = self.listeners.of_slot(slot)?;
                let Some(sender) = senders.get(&to) else { return Ok(()) };
                for (listener, socket) in (0..).zip(sockets) {
                    if !sender.send(&Order::Lend { slot, listener }, &[socket])? {
                        return Err(Error::new(format!("worker {to} does not read its channel")));
                    }
                }
            }
            Loan::TakeBack { slot, from } => {
                let Some(sender) = senders.get(&from) else { return Ok(()) };
                sender.send(&Order::TakeBack { slot }, &[])?;
            }
        }
        Ok(())
    }

    /// Rebinds Unix sockets whose files were removed. Workers that accept connections themselves are
    /// lent the new ones, and also serve the connections that are still waiting in the old ones.
    pub(in crate::primary) fn renew(&mut self) {
        if self.admission != Admission::Open {
            return; // they are rebound when they are opened
        }
        let (renewed, errors) = self.listeners.renew();
        let known = std::mem::replace(&mut self.renewal_failed, !errors.is_empty());
        for error in errors.into_iter().filter(|_| !known) {
            warn!("the file of a listening socket is gone, and cannot be created again: {error}");
        }
        for number in renewed {
            if let Err(error) = self.use_anew(number) {
                warn!("cannot use a socket that was rebound: {error}");
            }
        }
    }

    fn use_anew(&mut self, number: usize) -> Result<()> {
        let (Listeners::Inherited(all) | Listeners::HandOff(all)) = &self.listeners else {
            return Ok(());
        };
        info!("the file of {} was removed; the socket has been rebound", all[number].address());
        let socket = all[number].as_fd();
        match &mut self.sharing {
            Plan::Inherited(senders) => {
                for (worker, sender) in senders {
                    match lend_for_good(sender, number, socket) {
                        Ok(true) => {}
                        Ok(false) => {
                            warn!(%worker, "the worker does not read, and is not lent the socket");
                        }
                        Err(error) => warn!(%worker, "the worker has exited: {error}"),
                    }
                }
            }
            Plan::HandOff(dispatcher, sockets) => {
                let anew = accepting(socket)?;
                let old = std::mem::replace(&mut sockets[number], anew);
                let listener = u16::try_from(number).expect("listeners are few");
                dispatcher.accepted(listener, old.accept_waiting(QUEUE));
            }
            Plan::ReusePort(..) => {} // has TCP only
        }
        self.note_bound(number);
        Ok(())
    }

    /// Workers that were started before this have inherited a different socket.
    pub(super) fn note_bound(&mut self, number: usize) {
        self.times_bound += 1;
        self.bound_anew.insert(number, self.times_bound);
    }

    /// Lends a worker that accepts connections itself the sockets that were rebound since it was
    /// started.
    pub(super) fn lend_bound_anew(&self, sender: &Sender, inherited: u64) -> Result<()> {
        let Listeners::Inherited(all) = &self.listeners else { return Ok(()) };
        for (&number, _) in self.bound_anew.iter().filter(|(_, time)| **time > inherited) {
            if !lend_for_good(sender, number, all[number].as_fd())? {
                return Err(Error::new("it does not read its channel"));
            }
        }
        Ok(())
    }
}

/// Makes a loan that is never taken back; its slot only names the loan, and does not exist.
fn lend_for_good(sender: &Sender, number: usize, socket: BorrowedFd<'_>) -> Result<bool> {
    let listener = u16::try_from(number).expect("listeners are few");
    Ok(sender.send(&Order::Lend { slot: SlotId(u32::MAX), listener }, &[socket])?)
}
