//! The stages of a connection, and the time limit of each.

use std::time::Duration;

use tokio::time::Instant;

use super::phase::Phase;
use crate::config::HttpLimits;

/// The interval of the checks for a client that is gone: hyper reads nothing while a request is
/// being answered, so it does not notice.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// The current activity of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// HTTP/1: no byte has arrived since the accept, or since the last answer.
    Idle { since: Instant },
    /// HTTP/1: bytes have arrived, but not a whole head yet.
    Head { since: Instant },
    /// The beginning of HTTP/2's preface has arrived, which is not part of a request.
    Preface { since: Instant },
    /// HTTP/1: a request is being received or answered.
    Exchange {
        /// The client has not sent its whole body, or the service has not read it.
        asking: bool,
        sent: Sent,
        /// The instant of the next check that the client is still there.
        look: Instant,
    },
    /// HTTP/2: any number of requests at the same time; each counts three times: for its body, for its
    /// answer, and for its token.
    Streams {
        open: usize,
        since: Instant,
        goodbye: Option<Instant>,
        /// The kernel accepts no more bytes, because the client is not reading.
        blocked: bool,
    },
    /// A different protocol.
    Upgraded,
}

/// The part of an answer that has been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Not all of it.
    Partly,
    /// All of it is in hyper's buffer.
    Written,
    /// All of it is in the kernel.
    Flushed,
}

impl Stage {
    /// The instant at which the time limit of this stage expires.
    ///
    /// An exchange has no such limit: a service may be slow, and the reader of the body limits the time
    /// of the client's part. Its due time is the next look at the socket.
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

    /// The stage after a request's head is complete.
    pub(super) fn begun(self) -> Self {
        match self {
            Self::Streams { open, since, goodbye, blocked } => {
                Self::Streams { open: open + 2, since, goodbye, blocked }
            }
            _ => Self::Exchange { asking: true, sent: Sent::Partly, look: next_look() },
        }
    }

    /// Turns a finished exchange into an idle connection.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Exchange { asking: false, sent: Sent::Flushed, .. } => {
                Self::Idle { since: Instant::now() }
            }
            other => other,
        }
    }
}

/// The instant of the next check that the client of an exchange is still there.
pub(super) fn next_look() -> Instant {
    Instant::now() + BETWEEN_LOOKS
}

/// Adds a time; `None` if the sum is later than the clock can represent.
fn after(since: Instant, time: Duration) -> Option<Instant> {
    since.checked_add(time)
}

/// The earlier of two instants, where `None` means never.
pub(super) fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
