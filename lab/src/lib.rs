//! The contract that every example of the workbook keeps, and the laboratory that watches it.
//!
//! | module | what it is for |
//! |---|---|
//! | [`args`] | the options that every example takes, the listening socket, one-line errors |
//! | [`narrate`] | the `ready` line on stdout, the narration on stderr |
//! | [`Service`], [`Client`], [`Table`] | an example that runs as a child, a client that never retries, and the table that a demo prints |
//! | [`raw`], [`load`] | a client on a bare socket; many clients in the background, while something happens to a service |
//! | [`proc`] | what `/proc` says about a process |
//! | [`RedisServer`] | a real Redis server for an example or a test, started and ended with it |
//! | [`suite`], [`contract`] | the examples of a level as its tests start them, and the contract as checks |
//!
//! Every `--demo` and every test of an example is a client of a [`Service`]. Nothing here waits for
//! a time to pass: each wait is for a fact (a line, an answer, an entry of `/proc`), and gives up with
//! an error message after [`patience()`].

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this workbook watches Linux processes. On Windows use WSL2; on any other system open the \
     folder in the dev container (.devcontainer), which has everything that is needed."
);

pub mod args;
mod ask;
mod client;
pub mod contract;
mod lines;
pub mod load;
pub mod narrate;
pub mod proc;
pub mod raw;
mod redis;
mod service;
pub mod suite;
mod table;

pub use client::{Answer, Client};
pub use load::Load;
pub use redis::RedisServer;
pub use service::Service;
pub use table::Table;

use std::env;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// An error that can be shown to a user in one line.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything in the examples that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The time that the laboratory waits for a fact before it gives up: 10 s, or the number of seconds in
/// `LAB_PATIENCE`. It is long, so that a slow and busy machine passes, too; if all goes well, no wait
/// takes that long.
#[must_use]
pub fn patience() -> Duration {
    static SECONDS: OnceLock<u64> = OnceLock::new();
    let given = || env::var("LAB_PATIENCE").ok()?.parse().ok();
    Duration::from_secs(*SECONDS.get_or_init(|| given().unwrap_or(10)))
}

/// Calls `look` until it finds something, and returns that.
///
/// # Errors
/// Nothing was found within [`patience()`]; the message names `what`.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        let late = start.elapsed() > patience(); // a machine that pauses here gets one more look
        if let Some(found) = look() {
            return Ok(found);
        }
        if late {
            return Err(format!("waited {} s in vain for {what}", patience().as_secs()).into());
        }
        sleep(Duration::from_micros(500));
    }
}

/// Turns core dumps off for all processes that this one starts from now on: for a demo or a test in
/// which workers abort.
///
/// # Errors
/// The kernel refuses to change the limit.
pub fn no_cores() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_CORE)?;
    Ok(setrlimit(Resource::RLIMIT_CORE, 0, most)?)
}

/// The middle value of `values`, for durations of which a few may be far off.
///
/// # Panics
/// `values` is empty.
#[must_use]
pub fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}

/// A duration for a table, in milliseconds with one decimal.
#[must_use]
pub fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}
