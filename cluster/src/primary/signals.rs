//! The signals that a primary obeys. Their handlers only enqueue; the loop decides.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use signal_hook_registry::register;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{self, SignalKind};
use tracing::info;

use crate::signals::{JOB_CONTROL, block_only, ignore, tell_terminal_from_operator, was_sent};

/// A stop that arrives twice within this time, in milliseconds, is one stop: a wrapper signals its
/// child and then the whole group, or a supervisor sends INT and then TERM.
const ONE_REQUEST: u64 = 500;

/// A request from an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A graceful stop; also requested by a SIGHUP because the terminal has closed.
    Stop,
    /// A second signal of the same kind: an operator is impatient.
    StopNow,
    Reload,
    OneMore,
    OneLess,
}

/// The meaning of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Stop,
    /// The same, but not sent by a person: a repetition is not impatience.
    Warning,
    Reload,
    /// No meaning here, but one in other programs; the sender finds a line in the log.
    Nothing,
}

const MEANINGS: [(Signal, Meaning); 13] = [
    (Signal::SIGTERM, Meaning::Stop),
    (Signal::SIGINT, Meaning::Stop),
    (Signal::SIGQUIT, Meaning::Stop),
    (Signal::SIGPWR, Meaning::Warning),
    (Signal::SIGXCPU, Meaning::Warning),
    (Signal::SIGHUP, Meaning::Reload),
    (Signal::SIGUSR2, Meaning::Reload),
    (Signal::SIGUSR1, Meaning::Nothing),
    (Signal::SIGALRM, Meaning::Nothing),
    (Signal::SIGVTALRM, Meaning::Nothing),
    (Signal::SIGPROF, Meaning::Nothing),
    (Signal::SIGIO, Meaning::Nothing),
    (Signal::SIGSTKFLT, Meaning::Nothing),
];

/// Signals that are not needed: the call that caused the signal fails with a more precise error,
/// EPIPE or EFBIG.
const HARMLESS: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// Signals that are held back until later. When this is dropped, they are let through as before.
pub(super) struct Held {
    before: SigSet,
    /// SIGHUP was already ignored when we were started, because of `nohup`: we must outlive the
    /// terminal.
    nohup: bool,
}

/// Holds signals until [`Signals::install`] has their handlers ready. Must be called before anything
/// makes this process known to others, and before it has threads.
pub(super) fn hold() -> nix::Result<Held> {
    let nohup = is_ignored(Signal::SIGHUP)?;
    ignore(&HARMLESS)?;
    tell_terminal_from_operator()?;
    let before = SigSet::thread_get_mask()?;
    block_only(MEANINGS.map(|(signal, _)| signal).into_iter().chain(JOB_CONTROL))?;
    Ok(Held { before, nohup })
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// A stream of requests.
pub(super) struct Signals {
    handled: Vec<(Signal, Meaning, unix::Signal)>,
    job_control: AsyncFd<SignalFd>,
    stops: Arc<Stops>,
    had_terminal: bool,
    /// It was started by `nohup`: it must outlive the terminal.
    nohup: bool,
}

impl Signals {
    /// Installs the handlers, and lets through the signals that were [held](hold).
    pub(super) fn install(held: Held) -> io::Result<Self> {
        keep_exit_codes()?;
        let handled = MEANINGS.into_iter().map(|(signal, meaning)| {
            let stream = unix::signal(SignalKind::from_raw(signal as i32))?;
            Ok((signal, meaning, stream))
        });
        let handled = handled.collect::<io::Result<_>>()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let job_control = SignalFd::with_flags(&SigSet::from_iter(JOB_CONTROL), flags)?;
        let job_control = watch(job_control)?;
        let (nohup, had_terminal) = (held.nohup, has_terminal());
        let stops = Arc::<Stops>::default();
        stops.watch()?;
        drop(held);
        // Signals that our parent had blocked are let through, too.
        block_only(JOB_CONTROL)?;
        Ok(Self { handled, job_control, stops, had_terminal, nohup })
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Request {
        loop {
            let request = tokio::select! {
                (signal, meaning) = handled(&mut self.handled) => self.meant(signal, meaning),
                request = scaling(&self.job_control) => request,
            };
            if let Some(request) = request {
                return request;
            }
        }
    }

    fn meant(&mut self, signal: Signal, meaning: Meaning) -> Option<Request> {
        match meaning {
            Meaning::Stop => Some(self.stops.request(signal)),
            Meaning::Warning => Some(Request::Stop),
            Meaning::Reload if signal == Signal::SIGHUP => self.hung_up(),
            Meaning::Reload => Some(Request::Reload),
            Meaning::Nothing => {
                info!(
                    "{signal} was ignored: it has no meaning here, and there is no log file to reopen"
                );
                None
            }
        }
    }

    /// The kernel sends SIGHUP when a terminal closes, and the shell that dies with the terminal may
    /// send another one; operators send SIGHUP to reload.
    fn hung_up(&mut self) -> Option<Request> {
        let lost_terminal = self.had_terminal && !has_terminal();
        if !lost_terminal {
            return Some(Request::Reload);
        }
        self.had_terminal = false; // it closes only once
        (!self.nohup).then_some(Request::Stop)
    }
}

#[allow(unsafe_code)]
fn watch(signals: SignalFd) -> io::Result<AsyncFd<SignalFd>> {
    // SAFETY: the value owns its descriptor, which stays the same and open until the value is dropped.
    Ok(unsafe { AsyncFd::register_with_interest(signals, Interest::READABLE) }?)
}

/// The time at which each stop signal first arrived, and whether it was repeated later.
///
/// The handler records this, not the loop: a busy loop may read two signals at once, or one long
/// after it arrived.
#[derive(Debug, Default)]
struct Stops {
    /// Milliseconds of the monotonic clock; 0 before the first.
    first: [AtomicU64; STOPS.len()],
    repeated: [AtomicBool; STOPS.len()],
}

/// The stop signals of people and service managers.
const STOPS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT];

impl Stops {
    /// Lets a handler record the time of each signal.
    #[allow(unsafe_code)]
    fn watch(self: &Arc<Self>) -> io::Result<()> {
        for (index, signal) in STOPS.into_iter().enumerate() {
            let stops = Arc::clone(self);
            // SAFETY: it reads a clock and stores numbers; both are allowed in a handler.
            unsafe { register(signal as i32, move || stops.note(index, monotonic())) }?;
        }
        Ok(())
    }

    fn note(&self, index: usize, now: u64) {
        let first = self.first[index].compare_exchange(0, now, Relaxed, Relaxed);
        if first.is_err_and(|first| now.saturating_sub(first) >= ONE_REQUEST) {
            self.repeated[index].store(true, Relaxed);
        }
    }

    /// Only the same signal again, some time after the first, counts as impatience.
    fn request(&self, signal: Signal) -> Request {
        let index = STOPS.iter().position(|stop| *stop == signal);
        let repeated = index.is_some_and(|index| self.repeated[index].load(Relaxed));
        if repeated { Request::StopNow } else { Request::Stop }
    }
}

/// Milliseconds; `clock_gettime` is safe in a handler (`man 7 signal-safety`).
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1000 + now.tv_nsec / 1_000_000).unwrap_or(1)
}

async fn handled(handled: &mut [(Signal, Meaning, unix::Signal)]) -> (Signal, Meaning) {
    poll_fn(|cx| {
        for (signal, meaning, stream) in &mut *handled {
            if let Poll::Ready(Some(())) = stream.poll_recv(cx) {
                return Poll::Ready((*signal, *meaning));
            }
        }
        Poll::Pending
    })
    .await
}

/// A TTIN or TTOU; `None` if the kernel sent it because of the terminal.
async fn scaling(signals: &AsyncFd<SignalFd>) -> Option<Request> {
    loop {
        let Ok(mut ready) = signals.readable().await else { return None };
        match ready.try_io(|signals| signals.get_ref().read_signal().map_err(io::Error::from)) {
            Ok(Ok(Some(info))) if was_sent(info.ssi_code) => {
                let more = info.ssi_signo.cast_signed() == Signal::SIGTTIN as i32;
                return Some(if more { Request::OneMore } else { Request::OneLess });
            }
            Ok(Ok(Some(_))) => return None,
            // `read_signal` returns none when the kernel returns EAGAIN.
            Ok(Ok(None) | Err(_)) => ready.clear_ready(),
            Err(_) => {}
        }
    }
}

/// `/dev/tty` is the controlling terminal of the process that opens it; ENXIO means that there is
/// none.
fn has_terminal() -> bool {
    !matches!(File::open("/dev/tty"), Err(e) if e.raw_os_error() == Some(Errno::ENXIO as i32))
}

/// Restores the default action of SIGCHLD. The parent may have ignored the signal, and that is
/// inherited: the kernel would then reap our children on its own, and we would never learn how they
/// exited.
#[allow(unsafe_code)]
fn keep_exit_codes() -> nix::Result<()> {
    // SAFETY: the default action is not a handler of ours.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.map(drop)
}

/// Checks whether a signal is ignored. (Setting an action in order to learn the previous one would
/// discard a pending signal.)
#[allow(unsafe_code)]
fn is_ignored(signal: Signal) -> nix::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set; the action in force is written to memory of ours.
    let asked = unsafe { libc::sigaction(signal as i32, ptr::null(), action.as_mut_ptr()) };
    Errno::result(asked)?;
    // SAFETY: the kernel has written it, and all zeros would be valid, too.
    Ok(unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests that follow from signals at these times, in milliseconds.
    fn requests(signals: &[(Signal, u64)]) -> Vec<Request> {
        let stops = Stops::default();
        let arrives = |&(signal, at): &(Signal, u64)| {
            let index = STOPS.iter().position(|stop| *stop == signal).expect("it stops");
            stops.note(index, 1000 + at);
            stops.request(signal)
        };
        signals.iter().map(arrives).collect()
    }

    #[test]
    fn stop_that_arrives_twice_within_half_a_second_is_one_request() {
        for gap in [0, 5, 100, 400, 499] {
            let twice = requests(&[(Signal::SIGTERM, 0), (Signal::SIGTERM, gap)]);
            assert_eq!(twice, [Request::Stop, Request::Stop], "after {gap} ms");
        }
        let later = requests(&[(Signal::SIGTERM, 0), (Signal::SIGTERM, 500)]);
        assert_eq!(later, [Request::Stop, Request::StopNow]);
    }

    #[test]
    fn int_and_term_are_one_request_at_any_gap() {
        for gap in [0, 5, 700, 60_000] {
            let both = requests(&[(Signal::SIGINT, 0), (Signal::SIGTERM, gap)]);
            assert_eq!(both, [Request::Stop, Request::Stop], "after {gap} ms");
        }
    }

    #[test]
    fn burst_of_a_signal_counts_from_its_first() {
        let burst = [0, 200, 400, 600].map(|millis| (Signal::SIGINT, millis));
        assert_eq!(
            requests(&burst),
            [Request::Stop, Request::Stop, Request::Stop, Request::StopNow]
        );
    }
}
