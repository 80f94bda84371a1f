//! Waiting for signals and for descriptors with a single `poll`.
//!
//! A signal interrupts the running code, and a handler may do next to nothing. So a primary has no
//! handlers: it blocks the signals that it cares about, and reads them from a descriptor like
//! everything else. Guide 3 shows both ways.

use std::collections::BTreeMap;
use std::iter;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use lab::Result;

/// The signals that a primary reads: a child has changed; or a request to stop by `kill`, by Ctrl-C,
/// by Ctrl-\ or by a terminal that was closed.
pub const PRIMARY_READS: [Signal; 5] =
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP];

/// The signals that [`block`] lets through: a fault of the program must end it, and a terminal must
/// be able to suspend it (Ctrl-Z; a background job that reads, or that writes under `stty tostop`).
const LET_THROUGH: [Signal; 10] = [
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
    Signal::SIGSYS,
    Signal::SIGTRAP,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

/// Blocks all signals but faults and the terminal's; returns a descriptor that becomes readable
/// when one of `signals` is pending, so that one `poll` can wait for signals and for everything else.
///
/// A blocked signal interrupts no system call, and it is not lost, not even between two calls of
/// `poll`. One that is not among `signals` stays pending, and does no harm: the default action of
/// SIGUSR1 and of most others would end the process. The children inherit the block.
///
/// SIGHUP is not read if it was ignored before: that is how `nohup` asks a program to survive.
///
/// # Errors
/// Any error of the kernel, for example that there are no descriptors left.
#[allow(unsafe_code)]
pub fn block(signals: &[Signal]) -> Result<SignalFd> {
    let mut blocked = SigSet::all();
    for signal in LET_THROUGH {
        blocked.remove(signal);
    }
    blocked.thread_block()?;
    // SAFETY: the default action is not a handler of ours.
    let before = unsafe { signal(Signal::SIGHUP, SigHandler::SigDfl) }?;
    let nohup = matches!(before, SigHandler::SigIgn);
    let read = signals.iter().copied().filter(|signal| !nohup || *signal != Signal::SIGHUP);
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    Ok(SignalFd::with_flags(&read.collect(), flags)?)
}

/// Takes all signals that are pending now. Several of one kind may have become one: three exits,
/// a single SIGCHLD.
///
/// # Errors
/// Any error of the kernel.
pub fn pending(signals: &SignalFd) -> Result<Vec<Signal>> {
    let next = || -> Result<Option<Signal>> {
        let Some(info) = signals.read_signal()? else { return Ok(None) };
        Ok(Some(Signal::try_from(i32::try_from(info.ssi_signo)?)?))
    };
    iter::from_fn(|| next().transpose()).collect()
}

/// The signals among `signals` that ask a primary to stop.
pub fn stops(signals: &[Signal]) -> impl Iterator<Item = Signal> {
    use Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let asks = |signal: &Signal| matches!(signal, SIGTERM | SIGINT | SIGQUIT | SIGHUP);
    signals.iter().copied().filter(asks)
}

/// The request to stop among `signals`, if there is one.
#[must_use]
pub fn asked_to_stop(signals: &[Signal]) -> Option<StopRequest> {
    let now = Instant::now();
    let first: BTreeMap<Signal, Instant> = stops(signals).map(|signal| (signal, now)).collect();
    (!first.is_empty()).then_some(StopRequest { first })
}

/// A request to stop: its signals, and the time at which the first of each kind arrived.
///
/// One stop often arrives twice. `timeout` signals its child and then the child's process group;
/// Foreman sends SIGINT and a moment later SIGTERM. That is not a user losing patience.
#[derive(Debug)]
pub struct StopRequest {
    first: BTreeMap<Signal, Instant>,
}

impl StopRequest {
    /// The time for which a signal of the same kind counts as an echo of the first one.
    pub const ECHO: Duration = Duration::from_millis(500);

    /// Adds a signal that arrived at `now`; returns whether it repeats the request: whether it is
    /// the same signal again, and not an echo.
    pub fn is_repeated_by(&mut self, signal: Signal, now: Instant) -> bool {
        let first = *self.first.entry(signal).or_insert(now);
        now.saturating_duration_since(first) >= Self::ECHO
    }
}

/// Sleeps until one of `descriptors` can be read, or has reached its end, or until `deadline`;
/// returns for each of them whether it can. Without a deadline the sleep may last forever.
///
/// # Errors
/// Any error of the kernel except an interruption (EINTR), after which nothing is readable. Without
/// handlers it does not happen here.
pub fn poll_readable(
    descriptors: &[BorrowedFd<'_>],
    deadline: Option<Instant>,
) -> Result<Vec<bool>> {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    match poll(&mut polled, timeout(deadline)) {
        Ok(_) => Ok(polled.iter().map(|fd| fd.any().unwrap_or(true)).collect()),
        Err(Errno::EINTR) => Ok(vec![false; polled.len()]),
        Err(errno) => Err(errno.into()),
    }
}

/// Sleeps like [`poll_readable`] until a signal is pending or one of `channels` can be read; returns
/// the keys of the channels that can be read.
///
/// # Errors
/// Any error of the kernel.
pub fn poll_channels<'c, K, C: AsFd + 'c>(
    signals: &SignalFd,
    channels: impl Iterator<Item = (K, &'c C)>,
    deadline: Option<Instant>,
) -> Result<Vec<K>> {
    let (keys, mut descriptors): (Vec<K>, Vec<BorrowedFd<'_>>) =
        channels.map(|(key, channel)| (key, channel.as_fd())).unzip();
    descriptors.push(signals.as_fd());
    let readable = poll_readable(&descriptors, deadline)?;
    Ok(keys.into_iter().zip(readable).filter_map(|(key, can)| can.then_some(key)).collect())
}

/// Returns whether `descriptor` can be read now, without waiting.
///
/// # Errors
/// Any error of the kernel.
pub fn readable(descriptor: &impl AsFd) -> Result<bool> {
    Ok(poll_readable(&[descriptor.as_fd()], Some(Instant::now()))?[0])
}

/// Rounded up, so that `poll` does not return just before the deadline.
fn timeout(deadline: Option<Instant>) -> PollTimeout {
    let Some(deadline) = deadline else { return PollTimeout::NONE };
    let left = deadline.saturating_duration_since(Instant::now());
    let left = if left.is_zero() { left } else { left + Duration::from_millis(1) };
    PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_readable_when_there_is_something_or_the_end() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        assert!(!readable(&reader).expect("poll"));
        std::io::Write::write_all(&mut writer, b"!").expect("room for a byte");
        assert!(readable(&reader).expect("poll"));
        let (at_its_end, _) = std::io::pipe().expect("a pipe");
        assert!(readable(&at_its_end).expect("poll"));
    }

    #[test]
    fn no_deadline_is_rounded_down() {
        assert_eq!(timeout(None), PollTimeout::NONE);
        assert_eq!(timeout(Some(Instant::now())), PollTimeout::ZERO);
        let deadline = Instant::now() + Duration::from_secs(60);
        let waits = timeout(Some(deadline)).as_millis().expect("not forever");
        assert!(Duration::from_millis(waits.into()) >= deadline - Instant::now());
    }
    #[test]
    fn the_same_signal_repeats_a_request_after_its_echo() {
        let millis = Duration::from_millis;
        let mut request = asked_to_stop(&[Signal::SIGCHLD, Signal::SIGTERM]).expect("SIGTERM");
        let begin = request.first[&Signal::SIGTERM];
        let mut repeats = |signal, after| request.is_repeated_by(signal, begin + millis(after));
        for (signal, after, expected) in [
            (Signal::SIGTERM, 0, false),
            (Signal::SIGTERM, 499, false),
            (Signal::SIGTERM, 500, true),
            (Signal::SIGINT, 700, false), // a different signal: its first time
            (Signal::SIGINT, 1199, false),
            (Signal::SIGINT, 1200, true),
        ] {
            assert_eq!(repeats(signal, after), expected, "{signal} after {after} ms");
        }
    }

    #[test]
    fn a_child_that_changed_is_not_a_request_to_stop() {
        assert!(asked_to_stop(&[Signal::SIGCHLD]).is_none());
        assert!(PRIMARY_READS[1..].iter().all(|signal| asked_to_stop(&[*signal]).is_some()));
    }
}
