//! The first moments of a worker: it checks that it is one, takes over what it was given, and sets
//! its name.

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl;
use nix::sys::signal::{Signal, raise};
use nix::sys::socket::{UnixAddr, getsockname, getsockopt, sockopt};
use nix::sys::stat::fstat;
use nix::unistd::{Pid, getppid};

use crate::channel::frame;
use crate::channel::message::{Hello, ToPrimary, ToWorker};
use crate::config::{Config, Sharing};
use crate::shared::Shared;
use crate::signals::{IGNORED_BY_WORKERS, block_only, ignore};
use crate::spawn::{ROLE, manifest};
use crate::{Error, Result, runtime};

/// The exit code of a worker that cannot start: `EX_OSERR` of sysexits.h.
const CANNOT_BEGIN: i32 = 71;

/// Everything that a worker starts with.
#[derive(Debug)]
pub(crate) struct Boot {
    pub(crate) channel: UnixStream,
    pub(crate) given: Given,
}

/// Everything that it was given apart from the channel.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) hello: Hello,
    pub(crate) hand_off: OwnedFd,
    pub(crate) listeners: Vec<OwnedFd>,
    pub(crate) shared: Option<Shared>,
}

/// The code that runs the worker takes the boot; the hello stays for callers that only need to read
/// it.
static BOOT: OnceLock<Result<(Hello, Mutex<Option<Boot>>)>> = OnceLock::new();

/// Checks whether this process is a worker of a cluster. If not, it is the future primary.
///
/// The variable [`ROLE`] alone proves nothing: a process that a worker starts inherits it, and if the
/// primary is PID 1, it even becomes that process's parent when the worker exits. So the channel
/// must exist as well, and the primary must have made it.
#[must_use]
pub fn is_worker() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new(); // later the channel has another number
    *ANSWER.get_or_init(|| {
        let primary = env::var(ROLE).ok().and_then(|pid| pid.parse().ok()).map(Pid::from_raw);
        let is_worker = primary.is_some() && primary == maker_of_the_channel();
        if is_worker && primary != Some(getppid()) {
            // The primary has already died, and a program that changes its user at `exec` has lost
            // the kernel's tie to the primary. The program must not become a primary itself.
            std::process::exit(CANNOT_BEGIN);
        }
        is_worker
    })
}

/// The process that created the socket pair of descriptor 3, if the descriptor is an end of one.
#[allow(unsafe_code)]
fn maker_of_the_channel() -> Option<Pid> {
    getsockname::<UnixAddr>(manifest::CHANNEL).ok()?; // it is open, and a Unix socket
    // SAFETY: it is open, as was just checked, and none of our code closes it before the worker
    // starts.
    let channel = unsafe { BorrowedFd::borrow_raw(manifest::CHANNEL) };
    let credentials = getsockopt(&channel, sockopt::PeerCredentials).ok()?;
    Some(Pid::from_raw(credentials.pid()))
}

/// The settings that the primary has handed down; `None` in the primary itself. A worker never
/// reads the file or the environment: they may have changed since, and may now be wrong.
pub(crate) fn handed_down() -> Option<Result<Config>> {
    is_worker().then(|| boot().map(|(hello, _)| hello.config.clone()))
}

/// Takes everything that this worker starts with.
pub(crate) fn take() -> Result<Boot> {
    let (_, boot) = boot()?;
    let taken = boot.lock().ok().and_then(|mut boot| boot.take());
    taken.ok_or_else(|| Error::new("a worker can be run only once in a process"))
}

fn boot() -> Result<&'static (Hello, Mutex<Option<Boot>>)> {
    let booted = BOOT.get_or_init(|| {
        ignore(&IGNORED_BY_WORKERS)?;
        block_only([])?; // they have been blocked since before the `exec`
        let channel = UnixStream::from(inherited(manifest::CHANNEL, "the channel")?);
        let given = take_over(&channel).unwrap_or_else(|error| cannot_begin(&channel, &error));
        Ok((given.hello.clone(), Mutex::new(Some(Boot { channel, given }))))
    });
    booted.as_ref().map_err(|error| Error::new(error.to_string()))
}

/// Reports to the primary that this worker cannot start, and exits. No code of the program has run
/// yet, so the worker logs no line of its own: the primary logs one.
pub(super) fn cannot_begin(channel: &UnixStream, error: &Error) -> ! {
    let reason = error.to_string();
    let report = ToPrimary::CannotBegin { reason, shortage: error.is_shortage() };
    if let Ok(frame) = frame::encode(&report) {
        let mut channel: &UnixStream = channel;
        let _ = channel.write_all(&frame); // a primary that is gone needs no reason
    }
    std::process::exit(CANNOT_BEGIN)
}

fn take_over(channel: &UnixStream) -> Result<Given> {
    live_no_longer_than_the_primary(inherited(manifest::LIFELINE, "the lifeline")?)?;
    let hand_off = inherited(manifest::HAND_OFF, "the hand-off channel")?;
    let ToWorker::Hello(hello) = frame::read(channel)? else {
        return Err(Error::new("the primary's first message is not a hello"));
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
    Ok(Given { hello: *hello, hand_off, listeners, shared })
}

/// Takes over a descriptor of the manifest. From now on it closes at `exec`: a program that this
/// worker starts does not get it.
#[allow(unsafe_code)]
fn inherited(number: RawFd, what: &str) -> Result<OwnedFd> {
    // SAFETY: `fstat` only reads its state; a number that is not open gives EBADF.
    let open = unsafe { BorrowedFd::borrow_raw(number) };
    if let Err(errno) = fstat(open) {
        let what = format!("{what} did not arrive as descriptor {number}");
        return Err(Error::because(what, errno));
    }
    fcntl(open, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    // SAFETY: it is open, and this fresh process takes each number of its manifest once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Kills this process when the primary is gone, even if all other threads of this process are stuck
/// in a loop. The kernel's own tie (`PR_SET_PDEATHSIG`) does the same; a program that changes its
/// user or group loses that tie.
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
    runtime::spawn("cluster-lifeline", wait).map(drop)
}

/// Gives the process the name of its program; after an `exec` through a handle, its name is a number.
fn take_name() {
    let name = env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default().as_encoded_bytes();
    if let Ok(name) = std::ffi::CString::new(name) {
        let _ = prctl::set_name(&name); // cut to 15 bytes by the kernel
    }
}
