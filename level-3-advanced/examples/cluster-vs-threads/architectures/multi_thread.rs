//! One process with N threads, which share all memory: what most servers on Tokio look like.

use lab::Result;
use tokio::runtime::Builder;

use super::plain;
use crate::Args;
use crate::heavy::Heavy;
use crate::service::{Count, Service};

pub fn run(args: &Args) -> Result<()> {
    let service = Service { count: Count::InProcess, heavy: Heavy::OnLoop, backend: args.backend };
    let threads = args.common.workers.get();
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    plain::run(&runtime, args, service)
}
