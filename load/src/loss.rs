//! The causes of a request without a good answer.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// The cause of a lost request.
#[derive(Debug)]
pub(crate) enum Loss {
    /// The connection could not be made.
    Connect(io::Error),
    /// The bytes that came back are not an HTTP answer.
    NotHttp(String),
    /// The server closed the connection before the end of the answer.
    Closed,
    /// The server reset the connection before the end of the answer.
    Reset,
    /// Any other error of the connection.
    Broken(io::Error),
    /// The answer took longer than the time-out.
    Late(Duration),
    /// The answer has a status of 400 or above.
    Status(u16),
}

impl Loss {
    /// Returns whether a run that begins with this loss measures nothing: its cause is the command
    /// line, and not the load.
    pub(crate) fn is_hopeless(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::NotHttp(_))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) if error.kind() == ErrorKind::ConnectionRefused => {
                f.write_str("connection refused")
            }
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::NotHttp(reason) => write!(f, "the answer is not HTTP ({reason})"),
            Self::Closed => f.write_str("connection closed before the answer's end"),
            Self::Reset => f.write_str("connection reset"),
            Self::Broken(error) => error.fmt(f),
            Self::Late(timeout) => {
                write!(f, "no answer within {}", humantime::format_duration(*timeout))
            }
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

impl From<io::Error> for Loss {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Reset,
            _ => Self::Broken(error),
        }
    }
}
