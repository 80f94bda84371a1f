//! Waiting for signals and for descriptors with one and the same `poll`.
//!
//! A signal interrupts whatever runs, and what may be done inside a handler is next to nothing. So
//! a primary has no handlers: it blocks the signals that it cares about, and reads them from a
//! descriptor like everything else. Guide 3 shows both ways.

use std::iter;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use lab::Result;

/// Blocks `signals` for this process and returns a descriptor that becomes readable when one of
/// them is pending, so that one `poll` can wait for signals and for everything else.
///
/// A blocked signal interrupts no system call, and it is not lost, not even between two calls of
/// `poll`. The children inherit the block.
///
/// # Errors
/// The kernel's, for example out of descriptors.
pub fn block(signals: &[Signal]) -> Result<SignalFd> {
    let set: SigSet = signals.iter().copied().collect();
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Takes all signals that are pending now. Several of one kind may have become one: three exits,
/// a single SIGCHLD.
///
/// # Errors
/// The kernel's.
pub fn pending(signals: &SignalFd) -> Result<Vec<Signal>> {
    let next = || -> Result<Option<Signal>> {
        let Some(info) = signals.read_signal()? else { return Ok(None) };
        Ok(Some(Signal::try_from(i32::try_from(info.ssi_signo)?)?))
    };
    iter::from_fn(|| next().transpose()).collect()
}

/// Whether somebody asked this process to end: with SIGTERM, or with Ctrl-C (SIGINT).
#[must_use]
pub fn asked_to_stop(signals: &[Signal]) -> bool {
    signals.contains(&Signal::SIGTERM) || signals.contains(&Signal::SIGINT)
}

/// Sleeps until one of `descriptors` can be read, or has come to its end, or until `deadline`;
/// tells for each of them whether it can. Without a deadline it may sleep for ever.
///
/// # Errors
/// The kernel's. An interruption (EINTR) is none: it just finds nothing readable. Without handlers
/// it does not happen here.
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

/// Sleeps like [`poll_readable`] until a signal is pending or somebody has said something on one of
/// `channels`; returns the keys of the channels that can be read.
///
/// # Errors
/// The kernel's.
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

/// Whether `descriptor` can be read now, without waiting.
///
/// # Errors
/// The kernel's.
pub fn readable(descriptor: &impl AsFd) -> Result<bool> {
    Ok(poll_readable(&[descriptor.as_fd()], Some(Instant::now()))?[0])
}

/// Rounded up, so that nobody wakes up just before the deadline and finds that it has not come.
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
        let waits = timeout(Some(deadline)).as_millis().expect("not for ever");
        assert!(Duration::from_millis(waits.into()) >= deadline - Instant::now());
    }
}
