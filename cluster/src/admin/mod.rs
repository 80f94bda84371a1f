//! The management API: the state of the cluster, and the changes that operators may request.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /stats` | everything about the primary and its workers, as JSON |
//! | `GET /health` | 200 while at least one worker is healthy, else 503 |
//! | `GET /metrics` | counters for Prometheus |
//! | `POST /reload`, `POST /restart` | a rolling reload; the answer comes when it is complete, or at once with `?wait=false` |
//! | `POST /scale` with `{"workers": 4}` | change the number of workers |
//! | `POST /reset` with `{"slot": 3}` | retry an errored slot at once |
//! | `POST /stop` | graceful stop; immediate with `?now=true` |
//!
//! ```text
//! curl --unix-socket /run/user/1000/cluster-4711.sock -X POST http://localhost/reload
//! ```
//!
//! The API runs on its own thread, so that no slow or hostile client can delay the supervision. It
//! owns nothing: every request becomes a [`Command`] to the loop that owns all state.
//!
//! Unless `CLUSTER_API_SOCKET` is set, the socket is `cluster-PID.sock` in `XDG_RUNTIME_DIR`, else in
//! `TMPDIR`, else in `/tmp`: the first folder whose name is short enough. If another process
//! already uses that name (containers may share a folder, and each has a pid 1), the name is
//! `cluster-PID-2.sock`, and so on up to 4. If no name can be used, the cluster runs without the
//! API and logs the reason. [`Admin::address`] returns the address.
//!
//! On a Unix socket the file's mode (0600) decides which users may connect. Over TCP every user of
//! this machine may connect, so changes need a token, and a request that a web page could have
//! caused is refused.

mod answer;
mod body;
mod guard;
mod place;
mod reply;
mod room;
mod route;
mod serve;
mod socket;
mod thread;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use socket2::Socket;
use tokio::sync::mpsc::Sender;

use crate::config::{Admin, Token};
use crate::listener::bound_socket;
use crate::primary::Command;
use crate::{Error, Result};
use answer::Api;
use guard::{Guard, Via};
use place::Known;
use socket::{InTheWay, SocketFile};
use thread::{Bound, Thread};

/// The server. Dropping it stops it and removes its socket file.
#[derive(Debug)]
pub struct Server {
    /// The thread, which is stopped before the socket file is removed.
    thread: Thread,
    place: Place,
    /// `None` while there is no socket that clients can reach.
    reached: Option<Reached>,
    /// The reason why there is no such socket, if it was logged.
    logged: Option<String>,
}

/// The place where the API should listen.
#[derive(Debug)]
enum Place {
    Tcp(SocketAddr),
    Path(PathBuf),
    /// The first of these paths that can be used. If none can, the cluster continues without the
    /// API.
    Default(Vec<PathBuf>),
}

/// A socket that clients can reach.
#[derive(Debug)]
struct Reached {
    address: String,
    file: Option<SocketFile>,
}

/// Starts the API; `None` if it is off.
///
/// If no socket can be opened at the default place ([`Admin::Unix`] without a path), that is not an
/// error: the server then has no address, and [`Server::renew`] tries again.
///
/// # Errors
/// The address is taken or cannot be used; the error explains how to fix that. Nothing is running
/// in that case.
pub fn start(
    at: &Admin,
    token: Option<Token>,
    commands: Sender<Command>,
) -> Result<Option<Server>> {
    let place = match at {
        Admin::Off => return Ok(None),
        Admin::Tcp(address) => Place::Tcp(*address),
        Admin::Unix(Some(path)) => Place::Path(path.clone()),
        Admin::Unix(None) => {
            if let Some(why) = place::too_long() {
                tracing::warn!("{why}");
            }
            Place::Default(place::candidates())
        }
    };
    start_at(place, token, commands)
}

fn start_at(
    place: Place,
    token: Option<Token>,
    commands: Sender<Command>,
) -> Result<Option<Server>> {
    let via = if let Place::Tcp(_) = place { Via::Tcp } else { Via::Unix };
    let thread = match Thread::start(Api { guard: Guard { via, token }, commands }) {
        Ok(thread) => thread,
        Err(error) if place.is_default() => {
            tracing::warn!("continuing without the admin API, whose thread cannot start: {error}");
            place::remember(Known::Nowhere);
            return Ok(None);
        }
        Err(error) => return Err(Error::because("the admin API's thread cannot start", error)),
    };
    let mut server = Server { thread, place, reached: None, logged: None };
    if let Some(folder) = server.place.default_folder() {
        place::sweep(folder);
    }
    match server.open(None, InTheWay::Replaced) {
        Err(error) if server.place.is_default() => server.go_on_without(&error),
        opened => opened?,
    }
    Ok(Some(server))
}

impl Admin {
    /// The address at which the API of this process listens, or will listen once the cluster runs:
    /// `unix:/run/user/1000/cluster-4711.sock`, `http://127.0.0.1:9000`, or `None` if it is off.
    /// For port 0 only the log shows the port that the kernel chose.
    ///
    /// The default place may turn out to be taken or unusable. Call this while the cluster is
    /// running, for example in a [watcher](crate::Cluster::watch), to get the place that was found
    /// instead, or `None` if the cluster is running without the API.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        match self {
            Self::Off => None,
            Self::Unix(Some(path)) => Some(unix_address(path)),
            Self::Unix(None) => place::address(),
            Self::Tcp(address) => Some(format!("http://{address}")),
        }
    }
}

impl Server {
    /// The server's address: `http://127.0.0.1:9000`, or `unix:/run/user/1000/cluster-4711.sock`. `None`
    /// while it has no socket.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.reached.as_ref().map(|reached| reached.address.as_str())
    }

    /// Looks after the socket file: if it is gone (systemd-tmpfiles removes old files in `/tmp`), a
    /// new one is created at the same path, and open connections stay open. A file that is not ours
    /// is never replaced; a server at the default place then looks for another name.
    ///
    /// Call this from time to time. It makes one system call while all is well; if the file is
    /// gone, it may wait up to half a second for a folder that another process has locked. Each
    /// change is logged in one line.
    pub fn renew(&mut self) {
        if self.reached.as_ref().is_some_and(Reached::holds) {
            return;
        }
        let lost = self.reached.take().and_then(|lost| lost.file);
        if let Err(error) = self.open(lost.as_ref().map(SocketFile::path), InTheWay::Kept) {
            return self.go_on_without(&error);
        }
        let now = self.address().unwrap_or_default();
        if lost.is_some() {
            tracing::warn!("the admin API's socket file was removed; the new one is {now}");
        } else {
            tracing::info!("admin API on {now}");
        }
    }

    /// Stops the API: it accepts no new connections, and allows a quarter of a second for answers
    /// that are on their way.
    pub fn stop(self) {
        drop(self);
    }

    /// Starts listening. The path that the server had before is tried first.
    fn open(&mut self, before: Option<&Path>, in_the_way: InTheWay) -> Result<()> {
        let (bound, address, file) = match &self.place {
            Place::Tcp(address) => {
                let listener = bind_tcp(*address)?;
                let address = format!("http://{}", listener.local_addr()?);
                (Bound::Tcp(listener), address, None)
            }
            Place::Path(path) => at_one_of([path.clone()], in_the_way)?,
            Place::Default(paths) => {
                let before = before.map(Path::to_owned);
                at_one_of(before.into_iter().chain(paths.iter().cloned()), in_the_way)?
            }
        };
        self.thread.accept_from(bound)?;
        if self.place.is_default() {
            place::remember(Known::At(address.clone()));
        }
        (self.reached, self.logged) = (Some(Reached { address, file }), None);
        Ok(())
    }

    /// Logs the reason, unless it was logged before.
    fn go_on_without(&mut self, why: &Error) {
        if self.place.is_default() {
            place::remember(Known::Nowhere);
        }
        let why = why.to_string();
        if self.logged.as_ref() != Some(&why) {
            tracing::warn!("continuing without the admin API: {why}");
            self.logged = Some(why);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.place.is_default() {
            place::remember(Known::NotYet);
        }
    }
}

impl Place {
    fn is_default(&self) -> bool {
        matches!(self, Self::Default(_))
    }

    fn default_folder(&self) -> Option<&Path> {
        let Self::Default(paths) = self else { return None };
        paths.first()?.parent()
    }
}

impl Reached {
    /// Returns whether clients can still reach the socket.
    fn holds(&self) -> bool {
        self.file.as_ref().is_none_or(SocketFile::is_there)
    }
}

fn unix_address(path: &Path) -> String {
    format!("unix:{}", path.display())
}

fn at_one_of(
    paths: impl IntoIterator<Item = PathBuf>,
    in_the_way: InTheWay,
) -> Result<(Bound, String, Option<SocketFile>)> {
    let (listener, file) = socket::bind(paths, in_the_way)?;
    Ok((Bound::Unix(listener), unix_address(file.path()), Some(file)))
}

fn bind_tcp(address: SocketAddr) -> Result<TcpListener> {
    let listen = |socket: Socket| socket.listen(socket::BACKLOG).map(|()| socket);
    let listener = bound_socket(address, false).and_then(listen).map_err(|cause| {
        let what = format!(
            "the admin API cannot listen on {address}; choose another port (CLUSTER_API_PORT), or \
             stop the program that has this one"
        );
        Error::because(what, cause)
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn default_place_that_fails_is_tried_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let later = folder.path().join("later");
        let paths = ["a.sock", "b.sock"].map(|name| later.join(name)).to_vec();
        let (commands, _) = tokio::sync::mpsc::channel(1);
        let started = start_at(Place::Default(paths.clone()), None, commands);
        let mut server = started.expect("it is only a default").expect("it is not off");
        server.renew();
        assert_eq!(server.address(), None);
        let why = server.logged.clone().expect("the reason");
        assert!(why.contains("a.sock; set CLUSTER_API_SOCKET"), "{why}");
        assert!(why.contains("No such file or directory"), "{why}");
        fs::create_dir(&later).expect("our folder");
        server.renew();
        assert_eq!(server.address(), Some(unix_address(&paths[0]).as_str()));
        drop(server);
        assert!(!paths[0].exists());
    }

    #[test]
    fn default_name_that_is_taken_is_passed_over() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = ["1", "1-2", "1-3"].map(|it| folder.path().join(format!("cluster-{it}.sock")));
        let _living = std::os::unix::net::UnixListener::bind(&paths[0]).expect("a free path");
        fs::write(&paths[1], "precious").expect("our folder");
        let (commands, _) = tokio::sync::mpsc::channel(1);
        let started = start_at(Place::Default(paths.to_vec()), None, commands);
        let mut server = started.expect("a name is free").expect("it is not off");
        assert_eq!(server.address(), Some(unix_address(&paths[2]).as_str()));
        fs::remove_file(&paths[0]).and_then(|()| fs::remove_file(&paths[2])).expect("our folder");
        server.renew();
        assert_eq!(server.address(), Some(unix_address(&paths[2]).as_str()), "the previous path");
        fs::remove_file(&paths[2]).and_then(|()| fs::write(&paths[2], "mine")).expect("our folder");
        server.renew();
        assert_eq!(server.address(), Some(unix_address(&paths[0]).as_str()), "a free path");
        assert_eq!(fs::read(&paths[1]).expect("it stays"), b"precious");
        assert_eq!(fs::read(&paths[2]).expect("it stays"), b"mine");
    }
}
