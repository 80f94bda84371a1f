//! The servers that are reloaded: a small one on `cluster`, and nginx.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cluster::http::{Incoming, Request, StatusCode, service_fn, text};
use cluster::primary::Event;
use cluster::{Cluster, Config, Error, Result, Worker};
use http_body_util::BodyExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;

/// A running server.
pub struct Server {
    pub name: String,
    pub address: SocketAddr,
    process: Child,
    /// The lines that it prints; only our server prints.
    lines: UnboundedReceiver<String>,
    _folder: Option<TempDir>,
}

/// Plays the server of `--serve`: a small one on `cluster`, which prints its address.
pub fn serve() -> Result<()> {
    let config = Config::from_env()?;
    let announce = |events: cluster::primary::Events, _| {
        for event in events {
            match event {
                Event::Serving { addresses, .. } => println!("{}", addresses[0]),
                Event::ReloadFinished(generation) => println!("generation {generation}"),
                _ => {}
            }
        }
    };
    Cluster::new(config).watch(announce).run(hello)
}

async fn hello(worker: Worker) -> Result<()> {
    let service = service_fn(|request: Request<Incoming>| async {
        let _ = request.into_body().collect().await;
        Ok::<_, Infallible>(text(StatusCode::OK, "hello, client\n"))
    });
    worker.serve_http(service).await
}

impl Server {
    /// This program again, as a server.
    pub fn cluster(workers: usize) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .env("CLUSTER_LISTEN", "127.0.0.1:0")
            .env("CLUSTER_WORKERS", workers.to_string())
            .env("CLUSTER_API_SOCKET", "off")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| Error::new("no output"))?;
        let (line, mut lines) = unbounded_channel();
        std::thread::spawn(move || {
            let printed = BufReader::new(output).lines().map_while(std::result::Result::ok);
            printed.map_while(|text| line.send(text).ok()).for_each(drop);
        });
        let address = lines.blocking_recv().and_then(|line| line.parse().ok());
        let address = address.ok_or_else(|| Error::new("the server did not start; see above"))?;
        let name = format!("cluster, {workers} workers");
        Ok(Self { name, address, process, lines, _folder: None })
    }

    /// nginx from its package, with a configuration of our own.
    pub fn nginx(workers: usize, idle: Idle) -> Result<Self> {
        let version = nginx_version()?;
        let option = if idle == Idle::Kept { ", keepalive_min_timeout" } else { "" };
        let name = format!("{version}{option}, {workers} workers");
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // free a moment ago
        let file = configure(folder.path(), address, workers, idle)?;
        let process = Command::new("nginx").arg("-c").arg(&file).stdin(Stdio::null()).spawn()?;
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let (_, lines) = unbounded_channel();
        Ok(Self { name, address, process, lines, _folder: Some(folder) })
    }

    /// Sends HUP, and waits until the new version is serving: ours prints that, and nginx has `workers`
    /// new processes.
    pub async fn reload(&mut self) -> Result<()> {
        let old = self.workers();
        kill(self.pid(), Signal::SIGHUP)?;
        if self.lines.recv().await.is_some() {
            return Ok(());
        }
        while self.workers().difference(&old).count() < old.len().min(2) {
            if let Some(status) = self.process.try_wait()? {
                return Err(Error::new(format!("the server has ended: {status}")));
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().cast_signed())
    }

    fn workers(&self) -> BTreeSet<u32> {
        let children = format!("/proc/{0}/task/{0}/children", self.process.id());
        let children = fs::read_to_string(children).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }
}

/// The treatment of connections that are idle when nginx reloads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// nginx closes them at once: its default.
    Closed,
    /// nginx keeps each for 2 s after its last request, which is longer than any client pauses:
    /// `keepalive_min_timeout`, since nginx 1.27.4.
    Kept,
}

/// The name and version of the nginx that is installed.
///
/// # Errors
/// nginx is not installed.
pub fn nginx_version() -> Result<String> {
    let output = Command::new("nginx").arg("-v").output().map_err(|error| {
        Error::because("cannot run nginx; install it (Debian: apt install nginx-light)", error)
    })?;
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok(text.trim_start_matches("nginx version: ").to_owned())
}

/// Returns whether nginx accepts the option for this treatment.
pub fn nginx_knows(idle: Idle) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let file = configure(folder.path(), ([127, 0, 0, 1], 8000).into(), 1, idle)?;
    let output = Command::new("nginx").arg("-t").arg("-c").arg(&file).output()?;
    Ok(!String::from_utf8_lossy(&output.stderr).contains("unknown directive"))
}

/// Writes nginx's configuration into a folder, where nginx keeps its other files as well.
fn configure(folder: &Path, address: SocketAddr, workers: usize, idle: Idle) -> Result<PathBuf> {
    let at = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {at}/{name};"))
        .join(" ");
    let idle = if idle == Idle::Kept { "keepalive_min_timeout 2s;" } else { "" };
    let configuration = format!(
        "worker_processes {workers}; daemon off; pid {at}/pid; error_log {at}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; keepalive_requests 100000000; {idle} {temporary}\n\
         server {{ listen {address}; location / {{ return 200 \"hello, client\\n\"; }} }} }}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    Ok(file)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill(self.pid(), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
