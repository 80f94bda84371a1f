//! Errors for the caller, each a single line that says what to do.

use std::fmt;
use std::io;

use nix::libc;

/// The result of most functions in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error that a person can act on.
///
/// `Debug` prints the same sentence as `Display`: a `main` that returns it shows one clear line.
pub struct Error {
    message: String,
    cause: Option<Cause>,
    /// The kernel's error number, if the error came from a system call.
    errno: Option<i32>,
}

impl Error {
    /// An error without a cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, errno: None }
    }

    /// An error caused by another one, whose message is shown after a colon.
    pub fn because(message: impl Into<String>, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        let errno = errno(cause.as_ref());
        Self { message: message.into(), cause: Some(cause), errno }
    }

    /// Checks whether the kernel is currently out of room for another process, thread or descriptor.
    /// Such an error is temporary, and says nothing about the program.
    pub(crate) fn is_shortage(&self) -> bool {
        let shortages = [libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE];
        self.errno.is_some_and(|errno| shortages.contains(&errno))
    }
}

fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let ours = error.downcast_ref::<Error>().and_then(|error| error.errno);
    let std = || error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let nix = || error.downcast_ref::<nix::Error>().map(|errno| *errno as i32);
    let rustix = || error.downcast_ref::<rustix::io::Errno>().map(|errno| errno.raw_os_error());
    ours.or_else(std).or_else(nix).or_else(rustix)
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
        Self { errno: error.raw_os_error(), ..Self::new(error.to_string()) }
    }
}

impl From<nix::Error> for Error {
    fn from(errno: nix::Error) -> Self {
        Self::from(io::Error::from(errno))
    }
}
