//! Connections that the primary hands over, and listening sockets that it lends.

use std::os::fd::OwnedFd;

use tokio::sync::{mpsc, watch};

use crate::Result;
use crate::http::{Phase, Server};
use crate::listener::{Peer, Stream};

/// A connection that somebody else has accepted.
#[derive(Debug)]
pub(super) struct Fed {
    pub(super) stream: Stream,
    pub(super) peer: Peer,
    pub(super) held: Option<Held>,
}

/// Tells the primary, when it is dropped, that the connection has ended.
#[derive(Debug)]
pub(super) struct Held;

pub(super) fn start(
    hand_off: OwnedFd,
    feeders: Vec<mpsc::Sender<Fed>>,
    http: Server,
    connections: usize,
    mut phase: watch::Receiver<Phase>,
) -> Result<()> {
    tokio::spawn(async move {
        let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
        drop((hand_off, feeders, http, connections));
    });
    Ok(())
}
