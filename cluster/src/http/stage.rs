//! The stages of a connection, and how long each may last.

use std::time::Duration;

use tokio::time::Instant;

use super::phase::Phase;
use crate::config::HttpLimits;

/// hyper reads nothing while a request is answered, so it does not notice that the client is gone.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// What a connection is doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// HTTP/1: no byte has come since the accept, or since the last answer.
    Idle { since: Instant },
    /// HTTP/1: bytes have come, but not yet a whole head.
    Head { since: Instant },
    /// The beginning of HTTP/2's preface has come, which is not part of a request.
    Preface { since: Instant },
    /// HTTP/1: a request is being received or answered.
    Exchange {
        /// The client is not done with its request's body, or the service is not done with reading.
        asking: bool,
        sent: Sent,
        /// When to look whether the client is still there.
        look: Instant,
    },
    /// HTTP/2: any number of requests at the same time; each counts three times: asking, answering,
    /// and for its token.
    Streams {
        open: usize,
        since: Instant,
        goodbye: Option<Instant>,
        /// The kernel takes no more bytes, because the client does not read.
        blocked: bool,
    },
    /// Another protocol.
    Upgraded,
}

/// How much of an answer has been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Not all.
    Partly,
    /// All of it is in hyper's buffer.
    Written,
    /// All of it is in the kernel.
    Flushed,
}

impl Stage {
    /// When a connection has been in this stage for long enough.
    ///
    /// An exchange has no such time: a service may be slow, and the client's part, the body, is timed
    /// by its reader. Its due time is that of the next look at the socket.
    pub(super) fn due(self, limits: &HttpLimits, phase: Phase) -> Option<Instant> {
        match self {
            Self::Idle { since } => {
                earliest(after(since, limits.idle_time), phase.window_ends(since))
            }
            Self::Head { since } => after(since, limits.header_time),
            Self::Preface { since } => {
                earliest(after(since, limits.header_time), phase.goodbye_ends(since))
            }
            Self::Streams { open: 0, since, goodbye, blocked: false } => match goodbye {
                None => after(since, limits.idle_time),
                Some(said) => {
                    let since = said.max(since);
                    phase.goodbye_ends(since).or_else(|| after(since, limits.header_time))
                }
            },
            Self::Exchange { look, .. } => Some(look),
            Self::Streams { .. } | Self::Upgraded => None,
        }
    }

    /// A request's head is complete.
    pub(super) fn begun(self) -> Self {
        match self {
            Self::Streams { open, since, goodbye, blocked } => {
                Self::Streams { open: open + 2, since, goodbye, blocked }
            }
            _ => Self::Exchange { asking: true, sent: Sent::Partly, look: next_look() },
        }
    }

    /// An exchange of which nothing is left becomes an idle connection.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Exchange { asking: false, sent: Sent::Flushed, .. } => {
                Self::Idle { since: Instant::now() }
            }
            other => other,
        }
    }
}

/// When to look next whether the client of an exchange is still there.
pub(super) fn next_look() -> Instant {
    Instant::now() + BETWEEN_LOOKS
}

/// `None` when that is later than the clock can tell.
fn after(since: Instant, time: Duration) -> Option<Instant> {
    since.checked_add(time)
}

/// The earlier of two instants, where `None` is never.
pub(super) fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
