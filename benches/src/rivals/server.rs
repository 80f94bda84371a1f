//! A server that runs, and the line with which it announces its address.

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Child;

use cluster::{Error, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::role::{Role, command};
use super::{Rival, Work};

/// The first word of the line with the address.
const SERVING: &str = "serving";

/// A running server. It is ended when this is dropped.
pub struct Server {
    address: SocketAddr,
    process: Child,
}

impl Server {
    /// Starts a server with this many workers, and waits until it serves.
    ///
    /// # Errors
    /// The server cannot be started, or ends; the reason is on stderr.
    pub fn start(rival: Rival, work: Work, workers: usize) -> Result<Self> {
        let mut command = command(Role::Serve(rival), work, workers)?;
        command.env("CLUSTER_LISTEN", "127.0.0.1:0").env("CLUSTER_WORKERS", workers.to_string());
        command
            .env("CLUSTER_SHARING", "hand-off")
            .env("CLUSTER_API_SOCKET", "off")
            .env("RUST_LOG", "error");

        let mut process = command.spawn()?;
        let output = process.stdout.take().expect("it is piped");
        let mut server = Self { address: SocketAddr::from(([0; 4], 0)), process };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.strip_prefix(SERVING).and_then(|rest| rest.trim().parse().ok());
        server.address = address.ok_or_else(|| {
            Error::new(format!("the server on {rival:?} did not start; see above"))
        })?;
        Ok(server)
    }

    /// The address at which it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// Prints the address, in the server.
pub(super) fn announce(address: &impl Display) {
    println!("{SERVING} {address}");
}
