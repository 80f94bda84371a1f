//! Who is at the other end.

pub use crate::listener::Peer;
