//! The first moments of a worker: am I one, what was I given, who am I?

use std::env;
use std::io::{ErrorKind, Read};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::thread;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl;
use nix::sys::signal::{Signal, raise};
use nix::sys::stat::fstat;
use nix::unistd::getppid;

use crate::channel::frame;
use crate::channel::message::{Hello, ToWorker};
use crate::config::{Config, Sharing};
use crate::shared::Shared;
use crate::spawn::{ROLE, manifest};
use crate::{Error, Result};

/// What a worker has to begin with.
#[derive(Debug)]
pub(crate) struct Boot {
    pub(crate) hello: Hello,
    pub(crate) channel: UnixStream,
    pub(crate) hand_off: OwnedFd,
    pub(crate) listeners: Vec<OwnedFd>,
    pub(crate) shared: Option<Shared>,
}

/// Taken by whoever runs the worker; the hello stays for those who only ask.
static BOOT: OnceLock<Result<(Hello, Mutex<Option<Boot>>)>> = OnceLock::new();

/// Whether this process is a worker of a cluster. If not, it is the primary-to-be.
#[must_use]
pub fn is_worker() -> bool {
    // A grandchild that inherited the variable has another parent.
    env::var(ROLE).is_ok_and(|primary| primary == getppid().to_string())
}

/// The settings that the primary has handed down; `None` in the primary itself. A worker never
/// reads the file or the environment: they may have changed since, and be wrong.
pub(crate) fn handed_down() -> Option<Result<Config>> {
    is_worker().then(|| boot().map(|(hello, _)| hello.config.clone()))
}

/// What this worker has to begin with.
pub(crate) fn take() -> Result<Boot> {
    let (_, boot) = boot()?;
    let taken = boot.lock().ok().and_then(|mut boot| boot.take());
    taken.ok_or_else(|| Error::new("a worker can be run only once in a process"))
}

fn boot() -> Result<&'static (Hello, Mutex<Option<Boot>>)> {
    let booted = BOOT.get_or_init(|| {
        let boot = take_over()?;
        Ok((boot.hello.clone(), Mutex::new(Some(boot))))
    });
    booted.as_ref().map_err(|error| Error::new(error.to_string()))
}

fn take_over() -> Result<Boot> {
    live_no_longer_than_the_primary(inherited(manifest::LIFELINE, "the lifeline")?)?;
    let channel = UnixStream::from(inherited(manifest::CHANNEL, "the channel")?);
    let hand_off = inherited(manifest::HAND_OFF, "the hand-off channel")?;
    let ToWorker::Hello(hello) = frame::read(&channel)? else {
        return Err(Error::new("the primary's first message is no hello"));
    };
    let count = match hello.config.sharing {
        Sharing::Inherited | Sharing::ReusePort => hello.config.listen.len(),
        Sharing::HandOff => 0,
    };
    let numbers = (manifest::LISTENERS..).take(count);
    let listeners = numbers.map(|number| inherited(number, "a listener")).collect::<Result<_>>()?;
    let map = |number| Shared::map(&inherited(number, "the shared memory")?);
    let shared = hello.shared.map(map).transpose()?;
    take_name();
    Ok(Boot { hello: *hello, channel, hand_off, listeners, shared })
}

/// Takes over a descriptor of the manifest. From now on it closes at `exec`: a program that this
/// worker starts gets nothing of it.
#[allow(unsafe_code)]
fn inherited(number: RawFd, what: &str) -> Result<OwnedFd> {
    // SAFETY: it is only asked about itself; a number that is not open gives EBADF.
    let open = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    if let Err(errno) = fstat(open) {
        let what = format!("{what} did not arrive as descriptor {number}");
        return Err(Error::because(what, errno));
    }
    fcntl(open, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    // SAFETY: it is open, and this fresh process takes each number of its manifest once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Ends this process when the primary has gone, even if all its other threads are stuck in a loop.
/// The kernel's own tie (`PR_SET_PDEATHSIG`) does the same; a program that changes its user or
/// group loses that one.
fn live_no_longer_than_the_primary(lifeline: OwnedFd) -> Result<()> {
    let mut lifeline = std::io::PipeReader::from(lifeline);
    let wait = move || {
        loop {
            match lifeline.read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        let _ = raise(Signal::SIGKILL); // no destructors, no handlers: nothing that could wait
    };
    thread::Builder::new().name("cluster-lifeline".to_owned()).spawn(wait)?;
    Ok(())
}

/// Gives the process the name of its program; by its `exec` through a handle it would be a number.
fn take_name() {
    let name = env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default().as_encoded_bytes();
    if let Ok(name) = std::ffi::CString::new(name) {
        let _ = prctl::set_name(&name); // cut to 15 bytes by the kernel
    }
}
