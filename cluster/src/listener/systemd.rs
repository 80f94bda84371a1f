//! The sockets that systemd passes to a service, and the notifications that it gets from the service.
//!
//! See `sd_listen_fds(3)`, `sd_notify(3)` and `systemd.service(5)`. In a process that systemd did not
//! start, all of this does nothing. A unit file for a service that uses this library:
//!
//! ```ini
//! [Unit]
//! Description=A service on `cluster`
//! After=network.target
//!
//! [Service]
//! Type=notify-reload
//! ExecStart=/srv/app/current/server
//! Environment=CLUSTER_LISTEN=0.0.0.0:8000
//! # The primary's loop reports twice in this time that it is alive; if it hangs, systemd kills it.
//! WatchdogSec=10s
//! # Longer than GRACEFUL_SHUTDOWN_TIMEOUT (30s) and WORKER_TERM_GRACE (2s) together.
//! TimeoutStopSec=40s
//! Restart=on-failure
//! # Processes and threads: four of the primary, three of each worker, and room for a reload.
//! TasksMax=512
//! LimitNOFILE=65536
//!
//! [Install]
//! WantedBy=multi-user.target
//! ```
//!
//! - `Type=notify-reload` (systemd 253 or later): `systemctl start` returns when all workers are
//!   serving, and `systemctl reload` when the rolling reload has finished or failed, or was refused;
//!   `systemctl status` shows the reason. With an older systemd: `Type=notify` and
//!   `ExecReload=kill -HUP $MAINPID`.
//! - `KillMode=control-group`, the default, sends SIGTERM to the primary and to every worker. That is
//!   one graceful stop; `KillMode=mixed` is not needed.
//! - With a socket unit (`FileDescriptorName=web`) listen on `systemd:web`. Then a restart of the
//!   service refuses no client either. While there is no worker for more than five seconds, the primary
//!   accepts connections and closes them, because it must not shut down a socket that belongs to
//!   systemd.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::{Error, Result};

/// The time that a notification may wait for room.
const PATIENCE: Duration = Duration::from_millis(100);

/// The variables by which systemd talks to the primary. Workers must not inherit them: they would
/// take the sockets for their own, or notify systemd in the primary's name.
pub const VARIABLES: [&str; 7] = [
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// The sockets that systemd passed, each with its name (`FileDescriptorName=`).
#[derive(Debug, Default)]
pub struct Passed {
    sockets: Vec<(String, OwnedFd)>,
}

impl Passed {
    /// Takes the sockets that the environment announces. The next call finds none.
    ///
    /// Call it before there are threads: it removes variables from the environment.
    ///
    /// # Errors
    /// A descriptor was passed that is neither a TCP nor a Unix stream socket.
    pub fn from_env() -> Result<Self> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut listenfd = ListenFd::from_env();
        let sockets = (0..listenfd.len()).map(|index| take(&mut listenfd, index));
        let sockets = sockets.collect::<io::Result<Vec<_>>>().map_err(|error| {
            Error::because("systemd passed a descriptor that is not a stream socket", error)
        })?;
        Ok(Self::new(&names, sockets))
    }

    /// Sockets with the names in `LISTEN_FDNAMES`, which are separated by colons. A socket without a
    /// name is called `unknown`, as in systemd.
    #[must_use]
    pub fn new(names: &str, sockets: Vec<OwnedFd>) -> Self {
        let names = names.split(':').map(|name| if name.is_empty() { "unknown" } else { name });
        let names = names.chain(std::iter::repeat("unknown")).map(str::to_owned);
        Self { sockets: names.zip(sockets).collect() }
    }

    pub(super) fn take(&mut self, wanted: &str) -> Result<OwnedFd> {
        match self.sockets.iter().position(|(name, _)| name == wanted) {
            Some(found) => Ok(self.sockets.remove(found).1),
            None => Err(self.missing(wanted)),
        }
    }

    fn missing(&self, wanted: &str) -> Error {
        let names: Vec<_> = self.sockets.iter().map(|(name, _)| format!("`{name}`")).collect();
        let what = match names.as_slice() {
            [] => "systemd passed no socket, or this program was not started by systemd".to_owned(),
            names => format!("systemd passed {}", names.join(", ")),
        };
        Error::new(format!(
            "cannot listen on systemd:{wanted}: {what}; give the service a socket unit with \
             FileDescriptorName={wanted}, or choose an address with CLUSTER_LISTEN"
        ))
    }
}

/// Notifies systemd that the service has started, or that a reload is over. `status` is the line that
/// `systemctl status` shows.
pub fn notify_ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
}

/// Notifies systemd of the status that `systemctl status` shows, in one line.
pub fn notify_status(status: &str) {
    notify(&[NotifyState::Status(&one_line(status))]);
}

/// Notifies systemd that the service is alive: see [`watchdog`].
pub fn notify_alive() {
    notify(&[NotifyState::Watchdog]);
}

/// The interval at which systemd expects to be [notified](notify_alive), if it does (`WatchdogSec=`):
/// half of the time after which it would kill the service.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|period| !period.is_zero())
}

/// Notifies systemd that a reload has begun. [`notify_ready`] must follow when the reload is over.
pub fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("cannot notify systemd of a reload: {error}"),
    }
}

/// Notifies systemd that a stop has begun.
pub fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
}

fn one_line(text: &str) -> String {
    // A longer datagram might not fit, and READY=1 would be lost with it.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

/// Does nothing without `NOTIFY_SOCKET`. A service that cannot reach systemd keeps serving, and
/// reports the failure once.
fn notify(states: &[NotifyState<'_>]) {
    static UNREACHABLE: AtomicBool = AtomicBool::new(false);
    let Some(path) = env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()) else { return };
    let sent = send(path.as_bytes(), states);
    let known = UNREACHABLE.swap(sent.is_err(), Ordering::Relaxed);
    if let (Err(error), false) = (sent, known) {
        tracing::warn!("cannot notify systemd: {error}");
    }
}

/// `sd_notify::notify` would wait forever for a reader that has stopped reading, and the whole
/// supervision would wait with it.
fn send(path: &[u8], states: &[NotifyState<'_>]) -> io::Result<()> {
    let to = match path {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
    };
    let message: String =
        states.iter().flat_map(|state| [state.to_string(), "\n".to_owned()]).collect();
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to_addr(message.as_bytes(), &to).map(drop)
}

fn take(listenfd: &mut ListenFd, index: usize) -> io::Result<OwnedFd> {
    if let Ok(Some(listener)) = listenfd.take_tcp_listener(index) {
        return Ok(listener.into());
    }
    let listener = listenfd.take_unix_listener(index)?;
    listener.map(OwnedFd::from).ok_or_else(|| io::Error::other("it was taken before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_arrives_and_does_not_wait_for_a_stuck_reader() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("notify.sock");
        let systemd = UnixDatagram::bind(&path).expect("the path is free");
        let path = path.as_os_str().as_bytes();
        send(path, &[NotifyState::Ready, NotifyState::Stopping]).expect("there is room");
        let mut message = [0; 64];
        let length = systemd.recv(&mut message).expect("it has arrived");
        assert_eq!(&message[..length], b"READY=1\nSTOPPING=1\n");
        let full = (0..100_000).find_map(|_| send(path, &[NotifyState::Ready]).err());
        assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    }
}
