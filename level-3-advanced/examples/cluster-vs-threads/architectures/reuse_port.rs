//! N processes with one thread each, and a listening socket for each: the kernel chooses by a hash.

use cluster::config::Sharing;
use lab::Result;

use super::workers;
use crate::Args;
use crate::heavy::Heavy;

pub fn run(args: &Args) -> Result<()> {
    workers::run(args, Sharing::ReusePort, Heavy::OnLoop)
}
