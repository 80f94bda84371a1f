//! N processes with one thread each, which accept from one socket. A number that all of them count has
//! to be in shared memory.

use cluster::config::Sharing;
use lab::Result;

use super::workers;
use crate::Args;
use crate::heavy::Heavy;

pub fn run(args: &Args) -> Result<()> {
    workers::run(args, Sharing::Inherited, Heavy::OnLoop)
}
