//! The role of a process: the program that measures, or a rival that it has started.

use std::env;
use std::process::{Command, ExitCode, Stdio};

use cluster::Result;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use super::{Work, bare, on_cluster, on_threads};

/// Variables in the environment of a rival: its role, its work, and the number of its workers. A bare
/// process is one worker, and gets its own number, from 0.
const ROLE: &str = "RIVAL_ROLE";
const WORK: &str = "RIVAL_WORK";
const WORKERS: &str = "RIVAL_WORKERS";

/// A server that carries out [`Work`] for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Worker processes of `cluster`, each with a runtime of one thread. The primary hands each
    /// connection to the next worker in turn.
    Cluster,
    /// One process, with Tokio's multi-threaded runtime.
    Threads,
}

/// The role of a process that this program has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Serve(Rival),
    /// A process that only carries out work.
    Bare,
}

impl Role {
    const ALL: [Self; 3] = [Self::Serve(Rival::Cluster), Self::Serve(Rival::Threads), Self::Bare];

    fn name(self) -> &'static str {
        match self {
            Self::Serve(Rival::Cluster) => "cluster",
            Self::Serve(Rival::Threads) => "threads",
            Self::Bare => "bare",
        }
    }
}

/// Plays the role of a rival, if this process was started for that; else returns `None`.
#[must_use]
pub fn play() -> Option<ExitCode> {
    let name = env::var(ROLE).ok()?;
    let role = Role::ALL.into_iter().find(|role| role.name() == name)?;
    Some(match as_role(role) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {name}: {error}");
            ExitCode::FAILURE
        }
    })
}

fn as_role(role: Role) -> Result<()> {
    let work: Work = env::var(WORK).unwrap_or_default().parse()?;
    let workers = env::var(WORKERS).ok().and_then(|number| number.parse().ok()).unwrap_or(1);
    match role {
        Role::Serve(Rival::Cluster) => on_cluster::play(work),
        Role::Serve(Rival::Threads) => {
            end_with_parent().and_then(|()| on_threads::play(work, workers))
        }
        Role::Bare => end_with_parent().and_then(|()| bare::play(work, workers)),
    }
}

/// A rival does not outlive the program that measures, whatever ends that.
pub(super) fn end_with_parent() -> Result<()> {
    Ok(set_pdeathsig(Signal::SIGTERM)?)
}

/// This program again, in a role.
pub(super) fn command(role: Role, work: Work, workers: usize) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.env(ROLE, role.name()).env(WORK, work.to_string()).env(WORKERS, workers.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}
