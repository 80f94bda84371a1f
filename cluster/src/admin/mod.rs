//! The management API: how the cluster is, and what operators may ask of it.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /stats` | everything about the primary and its workers, as JSON |
//! | `GET /health` | 200 while at least one worker is healthy, else 503 |
//! | `GET /metrics` | counters for Prometheus |
//! | `POST /reload`, `POST /restart` | a rolling reload; the answer comes at its end, or at once with `?wait=false` |
//! | `POST /scale` with `{"workers": 4}` | another number of workers |
//! | `POST /reset` with `{"slot": 3}` | try a slot again that was given up |
//! | `POST /stop` | graceful stop; at once with `?now=true` |
//!
//! ```text
//! curl --unix-socket /run/user/1000/cluster-4711.sock -X POST http://localhost/reload
//! ```
//!
//! It runs on a thread of its own, so that no client, slow or hostile, delays the supervision. It
//! owns nothing: every request becomes a [`Command`] to the loop that owns all state.
//!
//! On a Unix socket the file's mode (0600) decides who may connect. Over TCP everybody on this
//! machine can, so changes need a token, and a request that a web page could have caused is refused.

mod answer;
mod body;
mod guard;
mod reply;
mod room;
mod route;
mod serve;
mod socket;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use socket2::Socket;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::config::{Admin, Token};
use crate::listener::bound_socket;
use crate::primary::Command;
use crate::{Error, Result, runtime};
use answer::Api;
use guard::{Guard, Via};
use serve::Listener;
use socket::SocketFile;

/// The server. Dropping it stops it and removes its socket file.
#[derive(Debug)]
pub struct Server {
    address: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    /// Removes the file when it is dropped, after the thread has ended.
    _file: Option<SocketFile>,
}

/// Starts the API, or nothing if it is off.
///
/// # Errors
/// When the address is taken or cannot be used; the error says what to do. Nothing runs then.
pub fn start(
    at: &Admin,
    token: Option<Token>,
    commands: Sender<Command>,
) -> Result<Option<Server>> {
    let runtime = runtime::start(1)?;
    // Listeners register with the runtime that is entered.
    let entered = runtime.enter();
    let (listener, address, file, via) = match at {
        Admin::Off => return Ok(None),
        Admin::Unix(path) => {
            let (listener, file) = socket::bind(path.as_deref())?;
            let address = format!("unix:{}", file.path().display());
            (Listener::unix(listener)?, address, Some(file), Via::Unix)
        }
        Admin::Tcp(address) => {
            let listener = bind_tcp(*address)?;
            let address = format!("http://{}", listener.local_addr()?);
            (Listener::tcp(listener)?, address, None, Via::Tcp)
        }
    };
    drop(entered);
    let api = Arc::new(Api { guard: Guard { via, token }, commands });
    let stop = CancellationToken::new();
    let serve = serve::run(listener, api, stop.clone());
    let thread = thread::Builder::new().name("cluster-admin".into());
    let thread = thread.spawn(move || runtime.block_on(serve))?;
    Ok(Some(Server { address, stop, thread: Some(thread), _file: file }))
}

impl Admin {
    /// Where the API of this process listens, or will listen once the cluster runs:
    /// `unix:/run/user/1000/cluster-4711.sock`, `http://127.0.0.1:9000`, or nothing when it is off.
    /// For port 0 only the log knows what the kernel chose.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let unix = |path: &Path| format!("unix:{}", path.display());
        match self {
            Self::Off => None,
            Self::Unix(Some(path)) => Some(unix(path)),
            Self::Unix(None) => Some(unix(&socket::default_path())),
            Self::Tcp(address) => Some(format!("http://{address}")),
        }
    }
}

impl Server {
    /// Where it listens: `http://127.0.0.1:9000`, or `unix:/run/user/1000/cluster-4711.sock`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Stops it: no new connections, and a quarter of a second for answers that are on their way.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and there is nothing more to do about it.
            let _ = thread.join();
        }
    }
}

fn bind_tcp(address: SocketAddr) -> Result<TcpListener> {
    let listen = |socket: Socket| socket.listen(socket::BACKLOG).map(|()| socket);
    let listener = bound_socket(address, false).and_then(listen).map_err(|cause| {
        let what = format!(
            "the admin API cannot listen on {address}; choose another port (CLUSTER_API_PORT), or \
             end the program that has this one"
        );
        Error::because(what, cause)
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}
