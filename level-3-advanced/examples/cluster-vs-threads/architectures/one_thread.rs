//! One process with one thread: nothing is shared, and nothing helps.

use lab::Result;
use tokio::runtime::Builder;

use super::plain;
use crate::Args;
use crate::heavy::Heavy;
use crate::service::{Count, Service};

pub fn run(args: &Args) -> Result<()> {
    let service = Service { count: Count::InProcess, heavy: Heavy::OnLoop, backend: args.backend };
    plain::run(&Builder::new_current_thread().enable_all().build()?, args, service)
}
