//! The messages between primary and worker about connections, in bytes.
//!
//! A message begins with the version, its kind and a count; numbers are little-endian. The sizes
//! are small and follow from the count, so there is nothing to guess:
//!
//! | kind | to | after the first three bytes | descriptors |
//! |---|---|---|---|
//! | 1 connections | worker | count × (id: 8 bytes, listener: 2) | count |
//! | 2 lend | worker | slot: 4, listener: 2 | 1, a listening socket |
//! | 3 take back | worker | slot: 4 | none |
//! | 4 report | primary | closed: 4, count × (verdict: 1, id: 8) | none |
//! | 5 admit all | worker | none | none |

use std::fmt;

use bytes::{Buf, BufMut, TryGetError};

use crate::supervisor::SlotId;

/// The first byte of every message.
pub const VERSION: u8 = 1;

/// The limit on connections in one message, and on ids in one report.
pub const MOST: usize = 16;

/// Every message is shorter than this.
pub const LONGEST: usize = 256;

const CONNECTIONS: u8 = 1;
const LEND: u8 = 2;
const TAKE_BACK: u8 = 3;
const REPORT: u8 = 4;
const ADMIT_ALL: u8 = 5;

const ACKED: u8 = 1;
const DECLINED: u8 = 0;

/// A message from the primary to a worker. Its descriptors travel alongside it, in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Serve these connections, at most [`MOST`].
    Connections(Vec<Given>),
    /// Also accept from this listening socket: the slot has no worker at the moment.
    Lend {
        /// The slot that owns the socket.
        slot: SlotId,
        /// The number of its address in the settings.
        listener: u16,
    },
    /// The cluster is stopping: take every connection from now on, even beyond the limit of
    /// connections.
    AdmitAll,
    /// Accept no more from the sockets of this slot, and close them.
    TakeBack {
        /// The slot that owns the sockets.
        slot: SlotId,
    },
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// The connection's id in reports.
    pub id: u64,
    /// The number of its address in the settings.
    pub listener: u16,
}

/// A message from a worker to the primary: the outcome of connections. Acked and declined together
/// are at most [`MOST`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections that are taken: reported before their first byte is read.
    pub acked: Vec<u64>,
    /// Connections that are not wanted.
    pub declined: Vec<u64>,
    /// The number of connections that have ended since the last report.
    pub closed: u32,
}

/// The reason why a message was not understood. Its sender is broken, or has a different version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The message has a different version.
    Version(u8),
    /// There is no such kind of message in this direction.
    Kind(u8),
    /// The message is shorter or longer than it announces, or has too many or no connections.
    Length(usize),
    /// A verdict that is neither acked nor declined.
    Verdict(u8),
    /// The number of descriptors that arrived is not the number that was announced.
    Descriptors {
        /// The announced number.
        announced: usize,
        /// The number that arrived.
        came: usize,
    },
}

impl Order {
    /// The number of descriptors that belong to the order.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        match self {
            Self::Connections(given) => given.len(),
            Self::Lend { .. } => 1,
            Self::AdmitAll | Self::TakeBack { .. } => 0,
        }
    }

    /// The bytes of the order.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST);
        match self {
            Self::Connections(given) => {
                head(&mut bytes, CONNECTIONS, given.len());
                for Given { id, listener } in given {
                    bytes.put_u64_le(*id);
                    bytes.put_u16_le(*listener);
                }
            }
            Self::Lend { slot, listener } => {
                head(&mut bytes, LEND, 1);
                bytes.put_u32_le(slot.0);
                bytes.put_u16_le(*listener);
            }
            Self::AdmitAll => head(&mut bytes, ADMIT_ALL, 0),
            Self::TakeBack { slot } => {
                head(&mut bytes, TAKE_BACK, 0);
                bytes.put_u32_le(slot.0);
            }
        }
        bytes
    }

    /// Decodes a message from the primary.
    ///
    /// # Errors
    /// The message is malformed.
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        decode(message, |kind, count, rest| {
            Ok(match (kind, count) {
                (CONNECTIONS, 1..=MOST) => {
                    let given = |_| {
                        Ok(Given { id: rest.try_get_u64_le()?, listener: rest.try_get_u16_le()? })
                    };
                    Self::Connections((0..count).map(given).collect::<Result<_, TryGetError>>()?)
                }
                (LEND, 1) => Self::Lend {
                    slot: SlotId(rest.try_get_u32_le()?),
                    listener: rest.try_get_u16_le()?,
                },
                (TAKE_BACK, 0) => Self::TakeBack { slot: SlotId(rest.try_get_u32_le()?) },
                (ADMIT_ALL, 0) => Self::AdmitAll,
                (CONNECTIONS | LEND | TAKE_BACK | ADMIT_ALL, _) => {
                    return Err(Malformed::Length(message.len()));
                }
                _ => return Err(Malformed::Kind(kind)),
            })
        })
    }
}

impl Report {
    /// The bytes of the report.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST);
        head(&mut bytes, REPORT, self.acked.len() + self.declined.len());
        bytes.put_u32_le(self.closed);
        let acked = self.acked.iter().map(|id| (ACKED, *id));
        for (verdict, id) in acked.chain(self.declined.iter().map(|id| (DECLINED, *id))) {
            bytes.put_u8(verdict);
            bytes.put_u64_le(id);
        }
        bytes
    }

    /// Decodes a message from a worker.
    ///
    /// # Errors
    /// The message is malformed.
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        decode(message, |kind, count, rest| match (kind, count) {
            (REPORT, 0..=MOST) => {
                let mut report = Self { closed: rest.try_get_u32_le()?, ..Self::default() };
                for _ in 0..count {
                    match (rest.try_get_u8()?, rest.try_get_u64_le()?) {
                        (ACKED, id) => report.acked.push(id),
                        (DECLINED, id) => report.declined.push(id),
                        (other, _) => return Err(Malformed::Verdict(other)),
                    }
                }
                Ok(report)
            }
            (REPORT, _) => Err(Malformed::Length(message.len())),
            _ => Err(Malformed::Kind(kind)),
        })
    }
}

fn head(bytes: &mut Vec<u8>, kind: u8, count: usize) {
    assert!(count <= MOST, "{count} connections in a message that has room for {MOST}");
    bytes.put_u8(VERSION);
    bytes.put_u8(kind);
    bytes.put_u8(u8::try_from(count).expect("it is at most 16"));
}

/// Reads the head, lets `body` read the rest, and makes sure that nothing is left.
fn decode<T>(
    message: &[u8],
    body: impl FnOnce(u8, usize, &mut &[u8]) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let mut rest = message;
    let understood = (|| {
        match rest.try_get_u8()? {
            VERSION => {}
            other => return Err(Malformed::Version(other)),
        }
        let (kind, count) = (rest.try_get_u8()?, rest.try_get_u8()?);
        body(kind, count.into(), &mut rest)
    })();
    match understood {
        Ok(understood) if rest.is_empty() => Ok(understood),
        Ok(_) | Err(Malformed::Length(_)) => Err(Malformed::Length(message.len())),
        Err(malformed) => Err(malformed),
    }
}

/// The message is shorter than it announces. `decode` fills in its length.
impl From<TryGetError> for Malformed {
    fn from(_: TryGetError) -> Self {
        Self::Length(0)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "a message of version {version}, not {VERSION}"),
            Self::Kind(kind) => write!(f, "a message of unknown kind {kind}"),
            Self::Length(bytes) => {
                write!(f, "a message of {bytes} bytes that announces a different length")
            }
            Self::Verdict(verdict) => write!(f, "unknown verdict {verdict} in a report"),
            Self::Descriptors { announced, came } => {
                write!(f, "a message with {came} descriptors that announces {announced}")
            }
        }
    }
}

impl std::error::Error for Malformed {}
