//! What can go wrong, told to whoever asked, in a line that says what to do.

use std::fmt;
use std::io;

/// The result of most things here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error that a person can act on.
///
/// `Debug` prints the same sentence as `Display`: a `main` that returns it shows one clear line.
pub struct Error {
    message: String,
    cause: Option<Cause>,
}

impl Error {
    /// An error with nothing behind it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// An error that came from another one; its message is shown after a colon.
    pub fn because(message: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self { message: message.into(), cause: Some(cause.into()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            None => f.write_str(&self.message),
            Some(cause) => write!(f, "{}: {cause}", self.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<nix::Error> for Error {
    fn from(errno: nix::Error) -> Self {
        Self::from(io::Error::from(errno))
    }
}
