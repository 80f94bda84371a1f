//! One packet of the hand-off channel: bytes and descriptors.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::channel::{Delivery, Handed};
use super::wire::{LONGEST, MOST, Malformed, Order, Report};

/// A packet that has arrived.
pub(super) struct Packet {
    bytes: [u8; LONGEST],
    length: usize,
    descriptors: VecDeque<OwnedFd>,
    /// Some descriptors are missing: there was no room for them in the buffer, or in this process.
    short: bool,
}

/// This process cannot have any more descriptors, so the descriptors of these connections did not
/// arrive. This is not an error of the primary, which still has the connections.
pub(super) struct NoDescriptors(pub(super) Vec<u64>);

impl Packet {
    /// Receives a packet; `None` if the other end was closed. Does not wait.
    pub(super) fn recv(socket: &OwnedFd) -> io::Result<Option<Self>> {
        let mut bytes = [0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        // The buffer closes the descriptors that are not taken out, so no path can leak one.
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let into = &mut [IoSliceMut::new(&mut bytes)];
        let message = recvmsg(socket, into, &mut beside, RecvFlags::CMSG_CLOEXEC)?;
        let descriptors = beside.drain().filter_map(|item| match item {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        let descriptors = descriptors.flatten().collect();
        let short = message.flags.contains(ReturnFlags::CTRUNC);
        let packet = Self { bytes, length: message.bytes, descriptors, short };
        Ok((message.bytes > 0).then_some(packet))
    }

    /// Reads the packet as a worker's report.
    pub(super) fn into_report(self) -> Result<Report, Malformed> {
        let report = Report::decode(self.message())?;
        self.expect_descriptors(0)?;
        Ok(report)
    }

    /// Reads the packet as a delivery from the primary.
    pub(super) fn into_delivery(mut self) -> Result<Result<Delivery, NoDescriptors>, Malformed> {
        let order = Order::decode(self.message())?;
        let expected = order.descriptors();
        match order {
            Order::Connections(given) if self.short && self.descriptors.len() < expected => {
                return Ok(Err(NoDescriptors(given.into_iter().map(|it| it.id).collect())));
            }
            _ => self.expect_descriptors(expected)?,
        }
        let mut next = || self.descriptors.pop_front().expect("they were counted");
        Ok(Ok(match order {
            Order::Connections(given) => {
                let hand = |it| Handed { given: it, fd: next() };
                Delivery::Connections(given.into_iter().map(hand).collect())
            }
            Order::Lend { slot, listener } => Delivery::Lend { slot, listener, socket: next() },
            Order::AdmitAll => Delivery::AdmitAll,
            Order::TakeBack { slot } => Delivery::TakeBack { slot },
        }))
    }

    /// The bytes of the packet. A packet longer than [`LONGEST`] was cut there, and is still longer
    /// than any valid message.
    fn message(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn expect_descriptors(&self, announced: usize) -> Result<(), Malformed> {
        let came = self.descriptors.len();
        let right = came == announced && !self.short;
        if right { Ok(()) } else { Err(Malformed::Descriptors { announced, came }) }
    }
}

/// Sends one packet; `false` if there is no room at the moment.
pub(super) fn send(to: &OwnedFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<bool> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        let fits = beside.push(SendAncillaryMessage::ScmRights(descriptors));
        assert!(fits, "{} descriptors in a message that has room for {MOST}", descriptors.len());
    }
    match sendmsg(to, &[IoSlice::new(bytes)], &mut beside, SendFlags::NOSIGNAL) {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN | Errno::TOOMANYREFS) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}
