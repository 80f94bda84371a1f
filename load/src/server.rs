//! The servers of a comparison: processes that are started, and ended without remains.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use lab::Result;
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use procfs::process::all_processes;
use tokio::time::{Instant, sleep};

use crate::Target;

/// A server has to accept connections within this time.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// A server has to end within this time after SIGTERM; then it gets SIGKILL.
const END_WITHIN: Duration = Duration::from_secs(5);
/// The pause between two looks.
const PERIOD: Duration = Duration::from_millis(2);

/// A server that this process has started, with all its descendants. There is at most one.
pub(crate) struct Server {
    /// The shell that runs the command, and the process group that it leads.
    leader: Pid,
    errors: File,
}

impl Server {
    /// Starts `command` in a shell and waits until `target` accepts connections.
    pub(crate) async fn start(command: &str, target: &Target) -> Result<Self> {
        if target.is_open().await {
            return Err(format!("a server is running at {target} already; end it first").into());
        }
        set_child_subreaper(true)?; // a descendant that loses its parent becomes our child
        let errors = tempfile::tempfile()?;
        let shell = Command::new("sh")
            .args(["-c", command])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors.try_clone()?)
            .spawn()?;
        let leader = Pid::from_raw(i32::try_from(shell.id())?);
        let mut server = Self { leader, errors };
        server.ready(target).await?;
        Ok(server)
    }

    async fn ready(&mut self, target: &Target) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while !target.is_open().await {
            // A command may leave a server behind and end with 0; then the port decides.
            if let Some(status) = self.ended()?.filter(|status| !status.success()) {
                return Err(format!("it ended with {status}{}", self.last_words()).into());
            }
            if Instant::now() > deadline {
                let seconds = READY_WITHIN.as_secs();
                return Err(format!("{target} did not answer within {seconds} s").into());
            }
            sleep(PERIOD).await;
        }
        Ok(())
    }

    /// The exit status of the shell, once it has one.
    fn ended(&self) -> Result<Option<ExitStatus>> {
        match waitpid(self.leader, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => Ok(Some(ExitStatus::from_raw(code << 8))),
            Ok(WaitStatus::Signaled(_, signal, _)) => Ok(Some(ExitStatus::from_raw(signal as i32))),
            Ok(_) | Err(Errno::ECHILD) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The last line that the command has written on stderr.
    fn last_words(&mut self) -> String {
        let mut text = String::new();
        let read = self.errors.rewind().and_then(|()| self.errors.read_to_string(&mut text));
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        read.ok().and(last).map_or_else(String::new, |line| format!(": {line}"))
    }

    /// Ends the server with SIGTERM, and what is left of it with SIGKILL.
    pub(crate) async fn end(self) {
        let deadline = Instant::now() + END_WITHIN;
        self.signal(Signal::SIGTERM);
        while Instant::now() < deadline {
            if all_reaped() {
                return;
            }
            sleep(PERIOD).await;
        }
    }

    /// Signals the group, and the descendants that have left it.
    fn signal(&self, signal: Signal) {
        let _ = killpg(self.leader, signal); // the group may have ended
        for pid in descendants().into_iter().filter(|pid| !self.leads(*pid)) {
            let _ = kill(pid, signal);
        }
    }

    fn leads(&self, pid: Pid) -> bool {
        nix::unistd::getpgid(Some(pid)) == Ok(self.leader)
    }
}

impl Drop for Server {
    /// Kills what has not ended.
    fn drop(&mut self) {
        while !all_reaped() {
            self.signal(Signal::SIGKILL);
            std::thread::sleep(PERIOD);
        }
    }
}

/// Reaps the children that have ended; returns whether none is left.
fn all_reaped() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
}

/// The processes below this one.
fn descendants() -> Vec<Pid> {
    let stats = all_processes().into_iter().flatten().flatten().filter_map(|it| it.stat().ok());
    let parents: Vec<(i32, i32)> = stats.map(|stat| (stat.ppid, stat.pid)).collect();
    let mut found = vec![nix::unistd::getpid().as_raw()];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(of, _)| *of == parent).map(|(_, child)| *child));
        next += 1;
    }
    found.into_iter().skip(1).map(Pid::from_raw).collect()
}
