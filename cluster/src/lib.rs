//! One program, many processes: workers that share a port, a primary that looks after them, and
//! reloads that lose no request.
//!
//! ```no_run
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! The same program plays both roles, as with Node's `cluster`: the process that you start is the
//! primary, and those that the primary starts are workers. `cargo run -p cluster --example hello`
//! runs it.
//!
//! # Promises
//!
//! Each names the tests that check it: `s01` is scenario 1, run with one worker and with several where
//! that makes sense (`cargo test -p cluster --test acceptance s01`).
//!
//! 1. **A reload loses no request**, whether it comes on a fresh connection or on a kept-alive one,
//!    even if the exchange is slow, large, or pauses midway. New workers are ready before old ones
//!    leave, and the old ones leave as lame ducks (see [`http`]). Tests: `s01` `s02` `s03` `s04`
//!    `s05` `s06` `s07` `s08`.
//! 2. **A broken new version costs nothing.** It is refused, the old one keeps serving, and the caller
//!    gets the reason. Tests: `s12` `s13` `s14` `s15` `s16` `s17` `s36`.
//! 3. **Versions are not mixed by accident.** A reload opens the program once; a worker that crashes
//!    in the middle of a deploy is replaced by one of the same version. Tests: `s10` `s34`.
//! 4. **A worker that dies is replaced at once; one that keeps dying is replaced with a back-off.**
//!    Clients in the queue do not notice a restart. Tests: `s09` `s19` `s24`.
//! 5. **A worker that hangs, or grows too large, is replaced; the others are left alone.** Suspending
//!    the machine kills no worker. Tests: `s22` `s25` `s55`.
//! 6. **Every exit is reported once, with its code or signal and whether it was intended.** Tests:
//!    `s19` `s20`.
//! 7. **A stop is orderly and always ends**: queued clients are served, then connections are refused, then
//!    the work in flight is finished, up to a deadline. Tests: `s21` `s23` `s38`.
//! 8. **No worker outlives the primary**, not even one in an infinite loop. If code in the primary
//!    panics, the workers finish the work that they have before the primary exits. Tests: `s18`.
//! 9. **A worker gets its descriptors and no others.** Tests: `s26`.
//! 10. **A connection that is handed over is served once**: another worker gets it if the first one
//!     died before taking it, but never if the first one merely hangs. Tests: `s29` `s30`.
//! 11. **A slot without a worker swallows no clients** when each slot has a socket of its own. Tests:
//!     `s35` `s56`.
//! 12. **Input from a worker, a client or a terminal never brings the primary down by accident**, nor
//!     does a shortage of descriptors. Tests: `s31` `s32` `s33` `s43` `s54`.
//! 13. **A start that cannot succeed is reported before any port answers**, in a line that says what
//!     to do. Tests: `s27` `s28` `s44` `s45`.
//! 14. **A hundred reloads leave no trace**: no descriptor, thread or memory. Tests: `s11`.
//! 15. **Numbers that the workers share outlive each of them**: shared memory keeps its numbers
//!     through crashes and reloads, until the primary exits. Tests: `s37`.
//! 16. **One stop is one stop, however it is sent**: to the whole tree of processes at once, twice
//!     within half a second, or as INT and TERM. It loses no request. Tests: `s40` `s41`.
//! 17. **Every standard signal has a [meaning](primary#signals) in each role**, and no signal with a
//!     meaning elsewhere kills a server by accident. Tests: `s42` `s52` `s53`.
//! 18. **A client that half-closes after its request gets its answer.** Tests: `s39`.
//! 19. **A cluster recovers from an outage without an operator**: if the program fails, or the process
//!     table is full, the cluster keeps trying until the start succeeds. Clients wait for at most 5
//!     seconds; then they are refused until a worker is ready. Tests: `s24` `s49` `s50`.
//! 20. **A cluster can run in a container**: as PID 1, the primary reaps orphans but no child of the
//!     program itself, and no other process mistakes itself for a worker. Tests: `s46` `s47`.
//! 21. **systemd gets the notifications that it waits for**: that a reload has ended, even a refused
//!     one, and that the loop is alive. Tests: `s48`.
//! 22. **Minor details of the surroundings never decide whether the service runs**: the admin socket,
//!     a removed socket file, another program's variables, a path that is not UTF-8. Tests: `s51`
//!     `s57` `s58` `s59` `s60`.
//!
//! # What is not promised
//!
//! - A client that has been idle for longer than the drain's window may send its request at the very
//!   moment when the connection is closed. HTTP/1.1 has no solution for that; HTTP/2 does.
//! - After an HTTP/1 client on TCP has sent its FIN, the server cannot know whether the client is
//!   waiting for the answer or is gone. So the handler keeps running until it is done, a write fails,
//!   or `http_request_time` is over; an answer that has begun and is waiting for more data stays open
//!   until its next write. A reset, or a Unix socket that the client has closed, ends the handler
//!   within a second.
//! - A crash loses the requests that the worker was answering.
//! - If the program is built with `panic = "abort"`, a panic ends its process at once. If this
//!   happens in the primary, no worker finishes anything, but none is left behind; in a worker, all
//!   of its requests are lost, not just one.
//! - A client that has sent only part of a request holds up a stop for `http_header_time` or
//!   `http_body_time`, at most until the deadline of the stop. That is 30 s plus 2 s, but Docker
//!   kills the container after 10 s (`docker stop --time`), so change `GRACEFUL_SHUTDOWN_TIMEOUT` or
//!   Docker's timeout.
//! - A program that a worker has started outlives the worker and the primary, unless the service
//!   manager or the container kills it.
//! - A thread that the program started before [`run`] may receive a signal while the primary is
//!   starting; the kernel's default action then ends the process.
//! - Hand-off needs the primary: while it is stopped (SIGSTOP, Ctrl-Z), new clients wait.
//! - During a stop, a connection that arrives between the last accept and the end may be reset.
//! - With one socket for each slot ([`Sharing::ReusePort`](config::Sharing::ReusePort)) the clients in
//!   the queue of a worker that crashes wait until its socket is lent to another worker, a moment
//!   later; the clients of a worker that hangs wait until the hang is noticed (two and a half times
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
//! | TERM, INT, QUIT | graceful stop; the same signal again, at least 500 ms later, stops it at once |
//! | HUP, USR2 | rolling reload of the program and of the settings file |
//! | HUP because its terminal was closed | graceful stop |
//! | TTIN, TTOU | one more worker, one fewer |
//!
//! A worker that gets TERM is replaced, and then leaves. A [table](primary#signals) shows what every
//! other signal does in each role.
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
