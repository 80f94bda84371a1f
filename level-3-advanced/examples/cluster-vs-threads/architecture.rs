//! The five architectures: their names, and services that run in them.

use std::net::SocketAddr;
use std::process::Command;

use clap::ValueEnum;
use lab::{Result, Service};

use crate::demo::WORKERS;

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Architecture {
    /// One process with one thread, as Node without cluster
    OneThread,
    /// One process with Tokio's multi-thread runtime, N threads
    MultiThread,
    /// N processes with one thread each, which accept from one socket
    Prefork,
    /// N processes with one thread each, and a socket for each
    ReusePort,
    /// N processes, each with a bounded pool of threads for heavy work
    Both,
}

impl Architecture {
    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Returns whether its workers are processes, with a primary that watches them.
    pub fn has_processes(self) -> bool {
        !matches!(self, Self::OneThread | Self::MultiThread)
    }

    /// Starts the service in this architecture.
    pub fn start(self) -> Result<Service> {
        self.start_with(&[])
    }

    /// Starts the service in front of a slow one.
    pub fn start_before(self, backend: SocketAddr) -> Result<Service> {
        self.start_with(&["--backend", &backend.to_string()])
    }

    /// The processes that answer: the workers, or the only process.
    pub fn pids(self, service: &mut Service) -> Result<Vec<i32>> {
        if self.has_processes() { service.workers() } else { Ok(vec![service.primary()]) }
    }

    fn start_with(self, more: &[&str]) -> Result<Service> {
        let (name, workers) = (self.name(), WORKERS.to_string());
        let own = [&["--architecture", &name, "--workers", &workers], more].concat();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(Service::options(&own).into_iter().filter(|option| option != "--measure"));
        Service::launch(command)?.until_ready()
    }
}
