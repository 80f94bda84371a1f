//! N processes, each with a pool of threads for heavy work. The event loop stays free, and the pool is
//! bounded: work that waits for a permit costs nothing, work that runs costs a share of the cores.

use cluster::config::Sharing;
use lab::Result;

use super::workers;
use crate::heavy::Heavy;
use crate::{Args, Wrong};

/// Threads of one worker's pool.
pub const POOL: usize = 2;

pub fn run(args: &Args) -> Result<()> {
    let heavy = match args.wrong {
        Some(Wrong::UnboundedPool) => Heavy::Unbounded,
        Some(Wrong::HeavyOnLoop) => Heavy::OnLoop,
        _ => Heavy::pool(POOL),
    };
    workers::run(args, Sharing::Inherited, heavy)
}
