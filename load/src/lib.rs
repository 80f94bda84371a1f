//! A load generator that measures. `lab`'s clients check answers; this one counts and times them.
//!
//! ```console
//! $ cargo run --release -p load -- http://127.0.0.1:8000/ --connections 64 --duration 10s
//! $ cargo run --release -p load -- http://127.0.0.1:8000/ --rate 2000
//! $ cargo run --release -p load -- http://127.0.0.1:8000/ --compare 'server --old' 'server --new'
//! ```
//!
//! - **Closed loop** (default): each connection sends its next request when it has the answer to the
//!   last one. A server that stalls gets fewer requests, so a stall hides behind a few slow answers.
//! - **Open loop** (`--rate`): requests start at fixed times. A latency counts from the *intended*
//!   start, so that the requests that had to wait for a stalled server are slow ones.
//!   `planned = sent + dropped`.
//! - **A request is lost** if it gets no complete answer, or one with a status of 400 or above. It is
//!   never sent again. Latencies are those of the other requests.
//! - **A connection that the server has closed while it was idle** is replaced, and nothing is lost. The
//!   time for it is part of the next request's latency; that of the first connections is not.
//! - **One thread** does all of it. The report shows its CPU time, and a note if it was busy.
//!
//! | module | role |
//! |---|---|
//! | `target`, `request`, `answer`, `loss` | HTTP/1.1 as far as a generator needs it |
//! | `schedule` | the times at which requests are meant to start |
//! | `client`, `run`, `progress` | the clients of one run |
//! | `figures`, `report`, `text` | what a run collects, its data, its text |
//! | `comparison`, `mean` | the statistics of pairs, and of single figures |
//! | `compare`, `server` | servers in turn, and their processes |
//!
//! The client is our own, on httparse. On nginx, in turn with `wrk -t1` on a busy machine of two
//! cores, first sketches reached 0.75 of its throughput with hyper's client and 0.91 with httparse
//! (medians of five). `cargo run --release -p load --example against-wrk` repeats it for this one:
//! 1.25 on that machine, and 1.07 on a quieter one; p50 of the open loop is 30 to 70 us above that of a
//! bare blocking client.

mod answer;
mod client;
mod compare;
mod comparison;
mod figures;
mod loss;
mod mean;
mod progress;
mod report;
mod request;
mod run;
mod schedule;
mod server;
mod target;
mod text;

pub use compare::{Compared, Figure, compare};
pub use comparison::{Comparison, FEWEST_PAIRS, Verdict};
pub use mean::Mean;
pub use report::{Cpu, Interval, Latency, Losses, PERCENTILES, Paced, Report};
pub use request::Request;
pub use run::{Plan, measure};
pub use schedule::Pace;
pub use target::Target;
