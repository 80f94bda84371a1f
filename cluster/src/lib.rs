//! One program, many processes: workers that share a port, a primary that looks after them, and
//! reloads that lose no request.
//!
//! ```no_run
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! The same program plays both roles, as with Node's `cluster`: started by you it is the primary,
//! started by the primary it is a worker. `cargo run -p cluster --example hello` runs it.
//!
//! # Promises
//!
//! Each names the tests that keep it: `s01` is scenario 1, run with one worker and with several where
//! that makes sense (`cargo test -p cluster --test acceptance s01`).
//!
//! 1. **A reload loses no request**: on fresh connections, on kept-alive ones, slow, large, or
//!    pausing. New workers are ready before old ones leave, and those leave as lame ducks (see
//!    [`http`]). Tests: `s01` `s02` `s03` `s04` `s05` `s06` `s07` `s08`.
//! 2. **A broken new version costs nothing.** It is refused, the old one serves on, and the caller
//!    gets the reason. Tests: `s12` `s13` `s14` `s15` `s16` `s17` `s36`.
//! 3. **Versions are not mixed by accident.** A reload opens the program once; a crash in the middle
//!    of a deploy brings back the version that crashed. Tests: `s10` `s34`.
//! 4. **A worker that dies is replaced at once; one that keeps dying is replaced with a back-off.**
//!    Clients in the queue notice nothing of a restart. Tests: `s09` `s19` `s24`.
//! 5. **A worker that hangs, or grows too large, is replaced alone.** A suspended machine kills no
//!    worker. Tests: `s22` `s25` `s55`.
//! 6. **Every exit is reported once, with its code or signal, and whether it was meant.**
//!    Tests: `s19` `s20`.
//! 7. **A stop is orderly and ends**: queued clients are served, then connections are refused, then
//!    what is in flight is finished, until a deadline. Tests: `s21` `s23` `s38`.
//! 8. **No worker outlives the primary**, not even one in an infinite loop. When code in the primary
//!    panics, the workers finish what they have before it ends. Tests: `s18`.
//! 9. **A worker gets its descriptors and no others.** Tests: `s26`.
//! 10. **A connection that is handed over is served once**: again by another worker when the first
//!     died before taking it, never when it only hangs. Tests: `s29` `s30`.
//! 11. **No slot without a worker swallows clients** where each slot has a socket of its own.
//!     Tests: `s35` `s56`.
//! 12. **What a worker, a client or a terminal sends never ends the primary by accident**, nor does
//!     a shortage of descriptors. Tests: `s31` `s32` `s33` `s43` `s54`.
//! 13. **What cannot work is reported before any port answers**, in a line that says what to do.
//!     Tests: `s27` `s28` `s44` `s45`.
//! 14. **A hundred reloads leave no trace**: no descriptor, thread or memory. Tests: `s11`.
//! 15. **What workers count together outlives each of them**: shared memory keeps its numbers through
//!     crashes and reloads, until the primary ends. Tests: `s37`.
//! 16. **One stop is one stop, in whatever way it comes**: to the whole tree of processes at once,
//!     twice within half a second, as INT and TERM. It loses no request. Tests: `s40` `s41`.
//! 17. **Every standard signal has a [meaning](primary#signals) in each role**, and none with a
//!     meaning elsewhere kills a server by accident. Tests: `s42` `s52` `s53`.
//! 18. **A client that half-closes after its request is answered.** Tests: `s39`.
//! 19. **An outage passes without a person**: a program that fails and a full process table are tried
//!     until they work. Clients wait for 5 seconds at most; then they are refused until a worker is
//!     ready. Tests: `s24` `s49` `s50`.
//! 20. **A container is a place to run**: as PID 1 it reaps orphans and no child of the program's, and
//!     no other process takes itself for a worker. Tests: `s46` `s47`.
//! 21. **systemd is told what it waits for**: the end of a reload, refused ones included, and that the
//!     loop is alive. Tests: `s48`.
//! 22. **A convenience never decides whether the service runs**: the admin socket, a removed socket
//!     file, another program's variables, a path that is not UTF-8. Tests: `s51` `s57` `s58` `s59`
//!     `s60`.
//!
//! # What is not promised
//!
//! - A client that has been idle for longer than the drain's window may send its request at the very
//!   moment in which the connection is closed. HTTP/1.1 has no answer to that; HTTP/2 has.
//! - After the FIN of an HTTP/1 client on TCP the server cannot know whether the client waits for the
//!   answer or has gone. So the handler runs on until it is done, a write fails, or
//!   `http_request_time` is over; an answer that has begun, and waits for news, stays until its next
//!   write. A reset, or a Unix socket that the client has closed, ends the handler within a second.
//! - A crash loses the requests that the worker was answering.
//! - Built with `panic = "abort"`, a panic ends its process at once: in the primary no worker finishes
//!   anything, though none is left either; in a worker it costs all its requests, not one.
//! - A client that has sent a part of a request holds up a stop for `http_header_time` or
//!   `http_body_time`, at most until the deadline of the stop. That is 30 s, and 2 s more; Docker kills
//!   after 10 s (`docker stop --time`), so set `GRACEFUL_SHUTDOWN_TIMEOUT` or the other.
//! - A program that a worker has started outlives the worker and the primary, unless the service manager
//!   or the container ends it.
//! - A thread that the program has started before [`run`] may take a signal while the primary starts, and
//!   the kernel's default then ends the process.
//! - Hand-off needs the primary: while it is stopped (SIGSTOP, Ctrl-Z) new clients wait.
//! - In a stop, a connection that arrives between the last accept and the end may be reset.
//! - With one socket for each slot ([`Sharing::ReusePort`](config::Sharing::ReusePort)) the clients in
//!   the queue of a worker that crashes wait until its socket is lent to another one, a moment later;
//!   those of a worker that hangs wait until that is noticed (two and a half
//!   `health_report_interval`) and the worker is killed.
//!
//! # Where to look
//!
//! | to | see |
//! | --- | --- |
//! | change how it behaves | [`config`]: in code, in a file, in the environment |
//! | watch it, talk to it | [`Cluster::watch`], [`primary::Event`], [`primary::Handle`] |
//! | write a worker | [`Worker`] |
//! | count together with other workers | [`Cluster::shared`], [`shared`] |
//! | run it in production | [`admin`], [`metrics`], [systemd](listener::systemd), signals (below) |
//! | understand it | [`supervisor`] decides, [`primary`] acts, [`spawn`] starts, [`channel`] talks |
//!
//! | signal to the primary | effect |
//! | --- | --- |
//! | TERM, INT, QUIT | graceful stop; the same again after 500 ms ends at once |
//! | HUP, USR2 | rolling reload of the program and of the settings file |
//! | HUP because its terminal was closed | graceful stop |
//! | TTIN, TTOU | one worker more, one less |
//!
//! A worker that gets TERM is replaced, and then leaves. What every other signal does in each role is a
//! [table](primary#signals).
//!
//! # Platform
//!
//! Linux 5.11 or later: pidfds, `close_range`, `/proc`, `SCM_RIGHTS`.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "cluster uses pidfds, /proc and SCM_RIGHTS, which only Linux has. \
     On Windows use WSL2; elsewhere open the workbook in its dev container (.devcontainer)."
);

pub mod admin;
pub mod channel;
pub mod config;
pub mod dispatch;
mod error;
pub mod http;
pub mod listener;
mod log;
pub mod metrics;
pub mod primary;
mod run;
mod runtime;
pub mod shared;
mod signals;
pub mod spawn;
pub mod supervisor;
pub mod worker;

pub use config::Config;
pub use error::{Error, Result};
pub use run::{Cluster, run};
pub use worker::{Worker, is_worker};
