//! A program that is deployed and reloaded while it runs, for demos and tests.

use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::{env, fs};

use lab::load::Question;
use lab::raw::{Client, Reply};
use lab::{Result, Service, proc, wait_for};
use nix::sys::signal::Signal;
use tempfile::TempDir;

/// The prefix of the name of a site's folder; the pid of its owner follows it.
const PREFIX: &str = "level-2-site-";

/// The request that the clients send while versions come and go.
pub const WHICH: Question = Question { path: "/version", body: 0, wants: "version " };

/// The version that an answer to [`WHICH`] names, such as `version 2 in worker 4711`.
#[must_use]
pub fn version(body: &str) -> &str {
    body.split_whitespace().nth(1).unwrap_or_default()
}

/// The way that a reload is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// SIGHUP to the primary.
    Hup,
    /// SIGUSR2 to the primary.
    Usr2,
    /// `POST /reload` to the admin API.
    Api,
}

impl By {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Hup, Self::Usr2, Self::Api];
}

/// A folder with a program in it, and the service that runs it. Dropping this stops the service and
/// removes the folder.
pub struct Site {
    /// The running service.
    pub service: Service,
    source: PathBuf,
    folder: TempDir,
    reloads: usize,
}

impl Site {
    /// Puts version 1 of `source`, a program with the option `--stamp`, into a new folder, and runs it
    /// there until it is ready. `change` may add to the command.
    ///
    /// # Errors
    /// The disk is full, or the program did not become ready.
    pub fn start(source: &Path, change: impl FnOnce(&mut Command)) -> Result<Self> {
        sweep();
        let folder = TempDir::with_prefix(format!("{PREFIX}{}-", process::id()))?;
        let file = folder.path().join("server");
        stamp(source, &file, "1")?;
        let mut command = Command::new(&file);
        command.env("CLUSTER_API_SOCKET", folder.path().join("api.sock"));
        change(&mut command);
        let service = Service::launch(command)?.until_ready()?;
        Ok(Self { service, source: source.to_owned(), folder, reloads: 0 })
    }

    /// The file of the running program. A deploy replaces it.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// The folder of the program, for all files of this site.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The socket of the admin API.
    #[must_use]
    pub fn api(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }

    /// Replaces the program with this version. The running processes stay as they are.
    ///
    /// # Errors
    /// The disk is full.
    pub fn deploy(&self, version: &str) -> Result<()> {
        stamp(&self.source, &self.file(), version)
    }

    /// Makes a program of this version at a different path.
    ///
    /// # Errors
    /// The disk is full.
    pub fn build(&self, file: &Path, version: &str) -> Result<()> {
        stamp(&self.source, file, version)
    }

    /// Reloads, and waits for the end of the reload. Returns the primary's line about it, which is
    /// `reload to generation … is finished`, or `failed` with the reason, and the answer of the API.
    ///
    /// # Errors
    /// The reload did not end.
    pub fn reload(&mut self, by: By) -> Result<(String, Option<Reply>)> {
        let reply = match by {
            By::Api => Some(self.post("/reload")?),
            By::Hup => self.signal(Signal::SIGHUP).map(|()| None)?,
            By::Usr2 => self.signal(Signal::SIGUSR2).map(|()| None)?,
        };
        let end = |line: &String| {
            line.contains("reload to generation")
                && (line.contains("fin") || line.contains("failed"))
        };
        let end = wait_for("the end of a reload", || {
            self.service.narration().into_iter().filter(end).nth(self.reloads)
        })?;
        self.reloads += 1;
        Ok((end, reply))
    }

    /// Requests a change from the admin API.
    ///
    /// # Errors
    /// The admin API does not answer.
    pub fn post(&self, path: &str) -> Result<Reply> {
        Ok(Client::connect(&format!("unix:{}", self.api().display()))?.post(path, b"")?)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.service.signal(self.service.primary(), signal)
    }
}

/// Removes the folders of processes that were killed: each is as large as a program or two.
fn sweep() {
    let Ok(entries) = fs::read_dir(env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| {
            let (pid, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
            pid.parse().ok()
        });
        if owner.is_some_and(proc::gone) {
            let _ = fs::remove_dir_all(entry.path()); // a folder of another user stays
        }
    }
}

/// Stamps in a separate process: otherwise the processes that other threads start at that moment would
/// inherit a program that is open for writing, and such a program cannot be run (`ETXTBSY`).
fn stamp(source: &Path, file: &Path, version: &str) -> Result<()> {
    let output = Command::new(source).arg("--stamp").arg(file).arg(version).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.trim().trim_start_matches("error: ");
    Err(if why.is_empty() { format!("--stamp: {}", output.status) } else { why.to_owned() }.into())
}
