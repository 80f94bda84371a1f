//! One task for each worker: it carries the worker's messages to the loop, and then its exit.
//!
//! The order is a promise: everything that a worker has sent arrives before its exit. Otherwise the
//! loop could not know whether an exit was announced.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use bytes::BytesMut;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use rustix::io::ioctl_fionread;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use tokio::io::unix::AsyncFd;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;

use crate::Result;
use crate::channel::frame::Frames;
use crate::channel::message::ToPrimary;
use crate::supervisor::{Exit, WorkerId};

/// The news that a courier brings.
#[derive(Debug)]
pub(super) enum News {
    /// The worker has sent a message.
    Said(ToPrimary),
    /// It has sent something that is not a message; the channel is no longer read.
    Broken(String),
    /// It is gone and has been reaped.
    Exited(Exit),
}

/// The channel to which all couriers deliver. It is bounded: a worker that floods its own channel
/// waits, and since senders queue up in order, the others get their turn.
pub(super) type Deliver = mpsc::Sender<(WorkerId, News)>;

/// Attends to a worker until it is gone.
pub(super) async fn attend(
    worker: WorkerId,
    channel: OwnedReadHalf,
    pidfd: AsyncFd<OwnedFd>,
    deliver: Deliver,
) {
    let mut mail = Mail { buffer: BytesMut::new(), frames: Frames::default() };
    let mut open = true;
    // If a delivery fails, the loop has ended, and there is no receiver left.
    while open {
        let ended = tokio::select! {
            biased;
            arrived = mail.receive(&channel) => {
                open = mail.hand_out(worker, arrived, &deliver).await;
                false
            }
            _ = pidfd.readable() => true,
        };
        if ended {
            let arrived = mail.receive_the_rest(&channel);
            mail.hand_out(worker, arrived.map(|()| 0), &deliver).await;
            break;
        }
    }
    let exit = reap(&pidfd).await;
    let _ = deliver.send((worker, News::Exited(exit))).await;
}

/// Bytes that have arrived but have not been handed out yet.
struct Mail {
    buffer: BytesMut,
    frames: Frames,
}

impl Mail {
    async fn receive(&mut self, channel: &OwnedReadHalf) -> io::Result<usize> {
        let stream: &tokio::net::UnixStream = channel.as_ref();
        loop {
            stream.readable().await?;
            match stream.try_read_buf(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    /// Receives everything that is left in the socket of a dead process. It asks the kernel rather
    /// than the runtime, which may not have noticed the data yet. Bytes that arrive after this moment
    /// are not the worker's: a child that the worker left behind may hold the channel, too, and write
    /// forever.
    fn receive_the_rest(&mut self, channel: &OwnedReadHalf) -> io::Result<()> {
        let stream: &tokio::net::UnixStream = channel.as_ref();
        let mut left = usize::try_from(ioctl_fionread(stream)?).unwrap_or(usize::MAX);
        let mut bytes = [0; 8192];
        while left > 0 {
            let most = left.min(bytes.len());
            match recv(stream.as_fd().as_raw_fd(), &mut bytes[..most], MsgFlags::MSG_DONTWAIT) {
                Ok(0) | Err(Errno::EAGAIN) => break,
                Ok(length) => {
                    self.buffer.extend_from_slice(&bytes[..length]);
                    left -= length;
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Delivers all complete messages; returns whether more may follow.
    async fn hand_out(
        &mut self,
        worker: WorkerId,
        arrived: io::Result<usize>,
        deliver: &Deliver,
    ) -> bool {
        let mut next = || -> Result<Option<ToPrimary>> { self.frames.next(&mut self.buffer) };
        loop {
            let (news, more) = match next() {
                Ok(Some(message)) => (News::Said(message), true),
                Ok(None) => return !matches!(arrived, Ok(0) | Err(_)),
                Err(error) => (News::Broken(error.to_string()), false),
            };
            if deliver.send((worker, news)).await.is_err() || !more {
                return false;
            }
        }
    }
}

/// Waits for a process to exit, and collects its status; until then the process is a zombie.
async fn reap(pidfd: &AsyncFd<OwnedFd>) -> Exit {
    loop {
        let Ok(mut ready) = pidfd.readable().await else { return Exit::NeverStarted };
        match waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {
            Ok(Some(status)) => {
                let code = status.exit_status().map(Exit::Code);
                let signal = status.terminating_signal().map(Exit::Signal);
                return code.or(signal).unwrap_or(Exit::NeverStarted);
            }
            // Not yet; or other code has reaped it, and then we never see its exit code.
            Ok(None) | Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
            Err(_) => return Exit::NeverStarted,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// The children win the race for the socket only by luck, so they get many attempts.
    #[tokio::test]
    async fn children_that_write_forever_do_not_delay_the_exit() {
        for _ in 0..20 {
            let (ours, mut theirs) = UnixStream::pair().expect("descriptors");
            theirs.write_all(b"before the exit").expect("there is room");
            let children = [(); 4].map(|()| flood(theirs.try_clone().expect("a descriptor")));
            ours.set_nonblocking(true).expect("a socket of ours");
            let ours = tokio::net::UnixStream::from_std(ours).expect("a runtime");
            while ioctl_fionread(&ours).expect("it is open") < 65536 {
                std::thread::yield_now();
            }
            let channel = ours.into_split().0;
            let mut mail = Mail { buffer: BytesMut::new(), frames: Frames::default() };
            mail.receive_the_rest(&channel).expect("it is open");
            assert!(mail.buffer.starts_with(b"before the exit"));
            assert!(mail.buffer.len() <= 1 << 20, "more than a socket holds");
            drop(channel);
            for child in children {
                child.join().expect("it ends when the reader is gone");
            }
        }
    }

    fn flood(mut to: UnixStream) -> std::thread::JoinHandle<()> {
        std::thread::spawn(move || while to.write_all(&vec![b'x'; 65536]).is_ok() {})
    }
}
