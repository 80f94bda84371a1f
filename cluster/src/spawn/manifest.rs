//! The descriptors of a worker: standard input (`/dev/null`), output and error, and then these, by
//! number. Nothing else is inherited.

use std::os::fd::RawFd;

/// The channel to the primary: a stream socket pair with [frames](crate::channel).
pub const CHANNEL: RawFd = 3;

/// The reading end of a pipe that only the primary's death closes.
pub const LIFELINE: RawFd = 4;

/// The channel on which the primary hands over accepted connections and lends listening sockets.
pub const HAND_OFF: RawFd = 5;

/// The first listening socket; the others follow in the order of the settings.
pub const LISTENERS: RawFd = 6;

/// The maximum number of listeners; [`config`](crate::config) enforces the limit.
pub const MAX_LISTENERS: usize = 16;

/// The memory that all processes share comes after the listeners, if there is any; the primary's
/// first message says so. A worker maps it, and closes the descriptor.
pub(crate) fn shared(listeners: usize) -> RawFd {
    LISTENERS + RawFd::try_from(listeners).expect("they are at most MAX_LISTENERS")
}

/// The lowest number of a descriptor of the primary that must survive until the `exec`.
pub(super) const FIRST_FREE: RawFd = 32;
