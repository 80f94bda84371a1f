//! The doors of a worker: for each listener, a socket of its own, connections that other processes
//! have accepted, or both.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::feed::{self, Fed};
use super::serve::Arrival;
use crate::config::Config;
use crate::http::{Phase, Server};
use crate::listener::Accepting;
use crate::{Error, Result};

/// All doors of a worker, one for each listener of the settings.
pub(super) struct Doors {
    pub(super) names: Vec<String>,
    shut: Mutex<Vec<Option<Door>>>,
    pub(super) closed: AtomicUsize,
    /// True once the primary lets this worker accept: the worker is ready, and the sockets are
    /// listening.
    pub(super) admitted: watch::Receiver<bool>,
}

/// One door: a socket to accept from, or connections that others have accepted, or both.
pub(super) struct Door {
    own: Own,
    fed: mpsc::UnboundedReceiver<Fed>,
    /// True once it was reported that the door accepts no more connections.
    pub(super) closed: bool,
}

/// A door's own socket.
enum Own {
    /// The socket may not be listening yet, and a poller would mistake that for its end.
    Closed(OwnedFd),
    Open(Accepting),
    /// The door accepts no more connections, or never had a socket.
    None,
}

impl Own {
    fn open(&mut self) -> io::Result<()> {
        if let Self::Closed(_) = self
            && let Self::Closed(socket) = std::mem::replace(self, Self::None)
        {
            *self = Self::Open(Accepting::new(socket)?);
        }
        Ok(())
    }
}

impl Doors {
    pub(super) fn open(
        config: &Config,
        listeners: Vec<OwnedFd>,
        hand_off: OwnedFd,
        http: Server,
        phase: watch::Receiver<Phase>,
        admitted: watch::Receiver<bool>,
    ) -> Result<Self> {
        let names: Vec<String> = config.listen.iter().map(|listen| listen.name.clone()).collect();
        let (feeders, fed): (Vec<_>, Vec<_>) =
            names.iter().map(|_| mpsc::unbounded_channel()).unzip();
        feed::start(hand_off, feeders, config, http, phase)?;
        let own =
            listeners.into_iter().map(Own::Closed).chain(std::iter::repeat_with(|| Own::None));
        let open = |(fed, own)| Some(Door { own, fed, closed: false });
        let doors = fed.into_iter().zip(own).map(open).collect();
        Ok(Self { names, shut: Mutex::new(doors), closed: AtomicUsize::new(0), admitted })
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Takes a door; returns it with the names of those that are left.
    pub(super) fn take(&self, name: &str) -> Result<(Door, Vec<String>)> {
        let index = self.names.iter().position(|it| it == name).ok_or_else(|| {
            let known = self.names.join(", ");
            Error::new(format!("there is no listener named {name}; the settings have: {known}"))
        })?;
        let mut doors = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
        let door = doors[index].take();
        let door =
            door.ok_or_else(|| Error::new(format!("the listener {name} is already taken")))?;
        let left = self.names.iter().zip(doors.iter()).filter(|(_, door)| door.is_some());
        Ok((door, left.map(|(name, _)| name.clone()).collect()))
    }
}

impl Door {
    /// Starts accepting from its own socket, which is already listening.
    pub(super) fn open(&mut self) -> Result<()> {
        self.own.open().map_err(|error| Error::because("cannot watch a listening socket", error))
    }

    /// A connection that is already waiting at its own socket.
    pub(super) fn take_waiting(&mut self) -> Option<Arrival> {
        let _ = self.open(); // if there is no room for it, nothing more can be accepted
        let Own::Open(own) = &self.own else { return None };
        own.accept_ready().map(Arrival::from)
    }

    /// Stops accepting from its own socket. Returns true if it had one.
    pub(super) fn shut(&mut self) -> bool {
        !matches!(std::mem::replace(&mut self.own, Own::None), Own::None)
    }

    /// The next connection that others have accepted; `None` when no more will come.
    pub(super) async fn fed(&mut self) -> Option<Arrival> {
        self.fed.recv().await.map(Arrival::from)
    }

    /// Accepts at its own socket only when there is room. A connection that is fed already had
    /// room, or it would not have been taken.
    pub(super) async fn accept(&mut self, room: impl Future<Output = ()>) -> Option<Arrival> {
        let own = async {
            room.await;
            match &self.own {
                Own::Open(listener) => listener.accept().await,
                Own::Closed(_) | Own::None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(accepted) = own => Some(accepted.into()),
            Some(fed) = self.fed.recv() => Some(fed.into()),
            else => std::future::pending().await, // the primary already refuses, and orders us to leave
        }
    }
}
