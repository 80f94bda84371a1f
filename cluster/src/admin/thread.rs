//! The thread on which the API runs.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::answer::Api;
use super::serve::{self, Listener};
use crate::{Result, runtime};

/// The thread of the API. Dropping it stops the API: it accepts no new connections, and allows a
/// quarter of a second for answers that are on their way.
#[derive(Debug)]
pub(super) struct Thread {
    listeners: UnboundedSender<Listener>,
    runtime: Handle,
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
}

/// A non-blocking listening socket.
pub(super) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Thread {
    /// Starts the thread, without a listener yet.
    ///
    /// Call it outside of asynchronous code: if the thread cannot be started, the runtime is
    /// dropped, and Tokio panics if a runtime is dropped inside another one.
    pub fn start(api: Api) -> Result<Self> {
        let runtime = runtime::start(1)?;
        let handle = runtime.handle().clone();
        let (listeners, newest) = unbounded_channel();
        let stop = CancellationToken::new();
        let serve = serve::run(newest, Arc::new(api), stop.clone());
        let run = move || runtime.block_on(serve);
        let running = Some(runtime::spawn("cluster-admin", run)?);
        Ok(Self { listeners, runtime: handle, stop, running })
    }

    /// Accepts from this socket from now on, and closes the previous one.
    pub fn accept_from(&self, bound: Bound) -> io::Result<()> {
        let entered = self.runtime.enter(); // a listener registers with the current runtime
        let listener = match bound {
            Bound::Tcp(listener) => Listener::tcp(listener)?,
            Bound::Unix(listener) => Listener::unix(listener)?,
        };
        drop(entered);
        let ended = |_| io::Error::other("the admin API's thread has ended");
        self.listeners.send(listener).map_err(ended)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.running.take() {
            // A panic in the thread has already been printed, and nothing more can be done about
            // it.
            let _ = thread.join();
        }
    }
}
