//! The sockets that the primary owns, and how connections are accepted from them.
//!
//! The primary binds every address once ([`Listeners`]). Depending on how the workers share, each gets
//! a copy of the same socket, the socket of its slot, or no socket at all because the primary accepts
//! connections and hands them over (see [`dispatch`](crate::dispatch)). Primary and workers accept
//! through [`Accepting`].

mod accept;
mod address;
mod bind;
mod holder;
mod lending;
mod reuse_port;
mod stream;
pub mod systemd;
mod unix;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

pub use accept::Accepting;
pub(crate) use accept::watch;
pub use address::{BoundAddress, Peer};
pub use bind::Listener;
pub(crate) use bind::bound_socket;
pub use lending::{Lending, Loan};
pub use reuse_port::ReusePort;
pub use stream::Stream;
use systemd::Passed;
pub(crate) use unix::{directory_of, lock};

use crate::config::{Address, Listen, Sharing};
use crate::supervisor::SlotId;
use crate::{Error, Result};

/// All listening sockets of a primary, one entry for each address, in the order of the settings.
#[derive(Debug)]
pub enum Listeners {
    /// Workers inherit copies of these.
    Inherited(Vec<Listener>),
    /// Each slot's workers inherit the sockets of the slot.
    ReusePort(Vec<ReusePort>),
    /// The primary accepts; workers inherit none.
    HandOff(Vec<Listener>),
}

impl Listeners {
    /// Binds all addresses, without listening yet: see [`listen`](Self::listen). `slots` is the
    /// number of workers at the start; the sockets of further slots are bound when they are
    /// requested.
    ///
    /// # Errors
    /// An address is not available; the message says what to do about it. Nothing stays bound.
    pub fn bind(
        listen: &[Listen],
        sharing: Sharing,
        slots: usize,
        mut passed: Passed,
    ) -> Result<Self> {
        let mut one_each = || -> Result<Vec<Listener>> {
            listen.iter().map(|it| Listener::bind(it, &mut passed)).collect()
        };
        Ok(match sharing {
            Sharing::Inherited => Self::Inherited(one_each()?),
            Sharing::HandOff => Self::HandOff(one_each()?),
            Sharing::ReusePort => {
                let groups = listen.iter().map(|it| reuse_port(it, slots));
                Self::ReusePort(groups.collect::<Result<_>>()?)
            }
        })
    }

    /// The sockets that the workers of a slot inherit: one for each address, or none with hand-off.
    ///
    /// # Errors
    /// The sockets of a new slot cannot be bound.
    pub fn of_slot(&mut self, slot: SlotId) -> Result<Vec<BorrowedFd<'_>>> {
        match self {
            Self::Inherited(listeners) => Ok(listeners.iter().map(AsFd::as_fd).collect()),
            Self::ReusePort(groups) => groups.iter_mut().map(|group| group.slot(slot)).collect(),
            Self::HandOff(_) => Ok(Vec::new()),
        }
    }

    /// The addresses at which they listen, in the order of the settings.
    #[must_use]
    pub fn addresses(&self) -> Vec<&BoundAddress> {
        match self {
            Self::Inherited(listeners) | Self::HandOff(listeners) => {
                listeners.iter().map(Listener::address).collect()
            }
            Self::ReusePort(groups) => groups.iter().map(ReusePort::address).collect(),
        }
    }

    /// Lets clients connect from now on, also after [`suspend`](Self::suspend). Returns the numbers
    /// of the listeners that were rebound.
    ///
    /// # Errors
    /// Another process is now listening at one of the addresses.
    pub fn listen(&mut self) -> Result<Vec<usize>> {
        let listeners = match self {
            Self::Inherited(listeners) | Self::HandOff(listeners) => listeners,
            Self::ReusePort(groups) => {
                return groups.iter_mut().try_for_each(ReusePort::listen).map(|()| Vec::new());
            }
        };
        let anew = listeners.iter_mut().map(Listener::listen).collect::<Result<Vec<bool>>>()?;
        Ok((0..).zip(anew).filter(|(_, anew)| *anew).map(|(number, _)| number).collect())
    }

    /// Makes the kernel refuse new connections from now on, except on sockets from systemd.
    ///
    /// # Errors
    /// The first error of shutdown(2); all sockets are tried.
    pub fn refuse(&mut self) -> io::Result<()> {
        let all: Vec<io::Result<()>> = match self {
            Self::Inherited(listeners) | Self::HandOff(listeners) => {
                listeners.iter().map(Listener::refuse).collect()
            }
            Self::ReusePort(groups) => groups.iter_mut().map(ReusePort::refuse).collect(),
        };
        all.into_iter().collect()
    }

    /// Refuses new connections until they listen again. Returns the numbers of the listeners that
    /// continue to listen, because they are systemd's.
    ///
    /// # Errors
    /// The first error of shutdown(2); all sockets are tried.
    pub fn suspend(&mut self) -> io::Result<Vec<usize>> {
        let listeners = match self {
            Self::Inherited(listeners) | Self::HandOff(listeners) => listeners,
            Self::ReusePort(_) => return self.refuse().map(|()| Vec::new()),
        };
        let all: Vec<io::Result<bool>> = listeners.iter_mut().map(Listener::suspend).collect();
        let shut = all.into_iter().collect::<io::Result<Vec<bool>>>()?;
        Ok((0..).zip(shut).filter(|(_, shut)| !shut).map(|(number, _)| number).collect())
    }

    /// Rebinds the Unix sockets whose files were removed; returns their numbers, and the errors.
    pub fn renew(&mut self) -> (Vec<usize>, Vec<Error>) {
        let (mut renewed, mut errors) = (Vec::new(), Vec::new());
        if let Self::Inherited(listeners) | Self::HandOff(listeners) = self {
            for (number, listener) in (0..).zip(listeners) {
                match listener.renew() {
                    Ok(true) => renewed.push(number),
                    Ok(false) => {}
                    Err(error) => errors.push(error),
                }
            }
        }
        (renewed, errors)
    }
}

fn reuse_port(listen: &Listen, slots: usize) -> Result<ReusePort> {
    match &listen.address {
        Address::Tcp(address) => ReusePort::bind(*address, slots),
        Address::Unix(_) | Address::Systemd(_) => Err(Error::new(format!(
            "the listener `{}` cannot share its port by SO_REUSEPORT, which needs a TCP address; \
             choose another way to share, or an address like 127.0.0.1:8000",
            listen.name
        ))),
    }
}
