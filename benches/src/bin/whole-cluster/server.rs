//! The server on `cluster`, and the handle through which the measurements use it.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use cluster::http::{Incoming, Request, StatusCode, service_fn, text};
use cluster::primary::{Event, Events};
use cluster::{Cluster, Config, Error, Result, Worker};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Plays a server that answers each request with its worker's pid. It prints the events of its workers.
pub fn play() -> Result<()> {
    Cluster::new(Config::from_env()?).watch(|events, _| print(events)).run(hello)
}

async fn hello(worker: Worker) -> Result<()> {
    let service = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(text(StatusCode::OK, std::process::id().to_string()))
    });
    worker.serve_http(service).await
}

fn print(events: Events) {
    for event in events {
        match event {
            Event::Spawned { pid, .. } => println!("spawned {pid}"),
            Event::Listening(..) => println!("listening"),
            Event::Serving { addresses, .. } => println!("serving {}", addresses[0]),
            _ => {}
        }
    }
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    /// The pids of the workers, in the order in which they were started.
    pub workers: Vec<u32>,
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a server, and waits until all its workers accept connections.
    pub fn start(workers: usize, settings: &[(&str, &str)]) -> Result<Self> {
        let mut process = command("hello", workers).envs(settings.iter().copied()).spawn()?;
        let output = process.stdout.take().ok_or_else(|| Error::new("no output"))?;
        let address = SocketAddr::from(([0; 4], 0)); // until the server prints it
        let lines = BufReader::new(output);
        let mut server = Self { address, workers: Vec::new(), process, lines };
        let address = server.wait_for("serving")?;
        server.address = address
            .parse()
            .map_err(|error| Error::because(format!("no address: {address}"), error))?;
        Ok(server)
    }

    /// Reads the server's lines up to one that begins with this word; returns the rest of that line.
    pub fn wait_for(&mut self, word: &str) -> Result<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(Error::new("the server has ended; see above"));
            }
            let (first, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            if first == "spawned" {
                self.workers.extend(rest.parse::<u32>());
            }
            if first == word {
                return Ok(rest.to_owned());
            }
        }
    }

    /// The primary's pid.
    pub fn primary(&self) -> u32 {
        self.process.id()
    }

    /// The pids of all its processes.
    pub fn pids(&self) -> Vec<u32> {
        self.workers.iter().copied().chain([self.primary()]).collect()
    }
}

/// This program again, in a role on `cluster`.
pub fn command(role: &str, workers: usize) -> Command {
    let program = std::env::current_exe().expect("a program knows its path");
    let mut command = Command::new(program);
    command.args(["--play", role]).stdin(Stdio::null()).stdout(Stdio::piped());
    command.env("CLUSTER_LISTEN", "127.0.0.1:0").env("CLUSTER_WORKERS", workers.to_string());
    command.env("CLUSTER_API_SOCKET", "off").env("RUST_LOG", "error");
    command
}

/// Sends SIGKILL.
pub fn murder(pid: u32) -> Result<()> {
    Ok(kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL)?)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
