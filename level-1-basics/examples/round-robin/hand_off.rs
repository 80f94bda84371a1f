//! The third way: the primary accepts, and sends each connection to the next worker.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use lab::{Result, narrate, say};
use level_1::http::Source;
use level_1::process::{ALL_ENDED, reap_all, stop, tell_end};
use level_1::readiness;
use level_1::signals::{asked_to_stop, pending, poll_readable};
use nix::sys::signalfd::SignalFd;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::unistd::Pid;

use super::Wrong;

/// A socket pair for each worker: our ends, and theirs as a source of connections.
pub fn channels(n: usize) -> Result<(Vec<UnixStream>, Vec<Source>)> {
    let pair = |_| {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        Ok((ours, Source::HandOff(theirs, receive)))
    };
    (0..n).map(pair).collect()
}

/// Accepts, and gives each connection to the next worker.
pub fn in_turn(
    signals: &SignalFd,
    listener: &TcpListener,
    channels: &[UnixStream],
    mut workers: Vec<Pid>,
    wrong: Option<Wrong>,
) -> Result<()> {
    let mut turns = match wrong {
        Some(Wrong::FirstOnly) => channels[..1].iter().cycle(),
        _ => channels.iter().cycle(),
    };
    let mut kept = Vec::new();
    let address = listener.local_addr()?;
    let mut first = Some(readiness::ask(address)?); // our own client: when it is answered, we are ready
    while !workers.is_empty() {
        let mut wanted = vec![signals.as_fd(), listener.as_fd()];
        wanted.extend(first.as_ref().map(AsFd::as_fd));
        let readable = poll_readable(&wanted, None)?;
        if readable.get(2) == Some(&true) {
            if first.take().is_some_and(|client| readiness::answered(&client)) {
                narrate::ready(address, workers.len());
            } else {
                first = Some(readiness::ask(address)?); // its worker died: ask another one
            }
        }
        if let Some(request) = asked_to_stop(&pending(signals)?) {
            return stop(signals, request, workers);
        }
        for (pid, status) in reap_all()? {
            tell_end(pid, status);
            workers.retain(|worker| *worker != pid);
        }
        match listener.accept() {
            Ok((connection, client)) => {
                // A dead worker's channel is broken: on to the next. A hung worker's channel
                // accepts a few hundred connections until it is full, and they hang with it: guide 4.
                if !turns.by_ref().take(channels.len()).any(|to| send(to, &connection).is_ok()) {
                    say!("primary: no worker accepts the connection from {client}");
                }
                if wrong == Some(Wrong::KeepCopy) {
                    kept.push(connection); // and the client never sees the end of it
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => {
                say!("primary: cannot accept at the moment: {error}");
                sleep(Duration::from_millis(100));
            }
        }
    }
    Err(ALL_ENDED.into())
}

/// `SCM_RIGHTS`: the kernel gives the receiver a descriptor of the same connection, as `dup` would.
/// One byte has to go with it, or there would be nothing to receive.
fn send(to: &UnixStream, connection: &TcpStream) -> nix::Result<usize> {
    let descriptors = [connection.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(to.as_raw_fd(), &[IoSlice::new(b"c")], &rights, MsgFlags::MSG_NOSIGNAL, None)
}

/// The other end of [`send`]. It reads a single byte, and so a single descriptor.
#[allow(unsafe_code)]
fn receive(from: &UnixStream) -> io::Result<Option<TcpStream>> {
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    let mut room = nix::cmsg_space!(RawFd);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(from.as_raw_fd(), &mut bytes, Some(&mut room), flags)?;
    let lost =
        |_| io::Error::other("a connection was lost: no descriptor is left for it (ulimit -n)");
    for rights in message.cmsgs().map_err(lost)? {
        if let ControlMessageOwned::ScmRights(descriptors) = rights {
            // SAFETY: the kernel has just made this descriptor for us; no other code knows of it.
            let own = |fd: &RawFd| TcpStream::from(unsafe { OwnedFd::from_raw_fd(*fd) });
            return Ok(descriptors.first().map(own));
        }
    }
    Ok(None) // the primary hung up
}
