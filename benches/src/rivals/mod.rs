//! The rivals of the scaling measurements: the same work on processes of `cluster`, on threads, and in
//! bare processes without a server.
//!
//! A program that measures starts itself again in one of these roles, so it first calls [`play`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! use benches::rivals::{Rival, Server, Work, play};
//!
//! fn main() -> ExitCode {
//!     if let Some(code) = play() {
//!         return code; // this process was a rival
//!     }
//!     let work = Work::compute(Duration::from_millis(50));
//!     let server = Server::start(Rival::Cluster, work, 2).expect("it starts");
//!     println!("{}", server.address());
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! Worker *i* is pinned to core *i*, modulo the cores that this process may use. All rivals have the
//! same hyper, allocator and work. The workers of `cluster` also do what the library does for each
//! connection: deadlines, counters and a watch on its progress.

mod bare;
mod cores;
mod on_cluster;
mod on_threads;
mod role;
mod server;
mod work;

pub use bare::Bare;
pub use cores::cores;
pub use role::{Rival, play};
pub use server::Server;
pub use work::Work;
