//! The channel with its real sockets, and peers that send wrong messages.
//!
//! Descriptors are counted with a pipe: when its reader sees the end, no copy of the writer is open
//! anywhere. That holds no matter how many tests run at the same time.

use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, PipeReader, PipeWriter, Read, Write, pipe};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::task::Poll;

use cluster::dispatch::channel::{Delivery, Receiver, Sender, pair};
use cluster::dispatch::wire::{Given, LONGEST, Order, Report};
use cluster::supervisor::SlotId;
use nix::sys::resource::{Resource, setrlimit};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

fn ends() -> (Sender, Receiver) {
    let (ours, theirs) = pair().unwrap();
    (Sender::new(ours).unwrap(), Receiver::new(theirs).unwrap())
}

/// Sends any bytes with any descriptors.
fn send_raw(to: &OwnedFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(40))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(beside.push(SendAncillaryMessage::ScmRights(descriptors)));
    }
    sendmsg(to, &[IoSlice::new(bytes)], &mut beside, SendFlags::empty()).unwrap();
}

fn connections(ids: &[u64]) -> Order {
    Order::Connections(ids.iter().map(|id| Given { id: *id, listener: 0 }).collect())
}

/// Fails the test (by never returning) if another copy of the writer is open.
fn assert_closed(mut reader: PipeReader, writer: PipeWriter) {
    drop(writer);
    assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[tokio::test]
async fn connections_arrive_with_their_descriptors_in_order() {
    let (sender, receiver) = ends();
    let pipes = [pipe().unwrap(), pipe().unwrap()];
    let writers: Vec<_> = pipes.iter().map(|(_, writer)| writer.as_fd()).collect();
    assert!(sender.send(&connections(&[7, 8]), &writers).unwrap());
    let Some(Delivery::Connections(handed)) = receiver.recv().await.unwrap() else {
        panic!("connections were sent")
    };
    assert_eq!(handed.iter().map(|it| it.given.id).collect::<Vec<_>>(), [7, 8]);
    for (index, (handed, (mut reader, writer))) in (0..).zip(handed.into_iter().zip(pipes)) {
        drop(writer);
        PipeWriter::from(handed.fd).write_all(&[index]).unwrap();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [index], "each id has its own descriptor");
    }
}

#[tokio::test]
async fn a_lent_socket_arrives_and_is_taken_back() {
    let (sender, receiver) = ends();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    sender.send(&Order::Lend { slot: SlotId(3), listener: 1 }, &[socket.as_fd()]).unwrap();
    sender.send(&Order::TakeBack { slot: SlotId(3) }, &[]).unwrap();
    match receiver.recv().await.unwrap() {
        Some(Delivery::Lend { slot: SlotId(3), listener: 1, socket: lent }) => {
            let lent = std::net::TcpListener::from(lent);
            assert_eq!(lent.local_addr().unwrap(), socket.local_addr().unwrap());
        }
        other => panic!("{other:?}"),
    }
    let next = receiver.recv().await.unwrap();
    assert!(matches!(next, Some(Delivery::TakeBack { slot: SlotId(3) })));
}

#[tokio::test]
async fn answers_arrive_with_the_number_of_ended_connections() {
    let (sender, receiver) = ends();
    let (first, second) = (receiver.open(), receiver.open());
    drop(first);
    receiver.answer(&[1, 2], &[3]).await.unwrap();
    let next = || poll_fn(|cx| sender.poll_recv(cx));
    let report = next().await.unwrap();
    assert_eq!(report, Some(Report { acked: vec![1, 2], declined: vec![], closed: 1 }));
    let report = next().await.unwrap();
    assert_eq!(report, Some(Report { declined: vec![3], ..Report::default() }));

    let worker = tokio::spawn(async move { receiver.recv().await.map(|it| it.is_none()) });
    drop(second);
    let report = next().await.unwrap();
    assert_eq!(report, Some(Report { closed: 1, ..Report::default() }), "without being asked");
    drop(sender);
    assert!(worker.await.unwrap().unwrap(), "the primary hung up");
}

#[tokio::test]
async fn an_end_is_reported_though_the_worker_is_always_busy() {
    let (sender, receiver) = ends();
    drop(receiver.open());
    let busy = async {
        loop {
            // Each time a new future, as in a loop with `select!`.
            let mut once = pin!(receiver.recv());
            let polled = poll_fn(|cx| Poll::Ready(once.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "nothing was sent");
            tokio::task::yield_now().await;
        }
    };
    let report = tokio::select! {
        () = busy => unreachable!("it goes on forever"),
        report = poll_fn(|cx| sender.poll_recv(cx)) => report.unwrap(),
    };
    assert_eq!(report, Some(Report { closed: 1, ..Report::default() }));
}

#[tokio::test]
async fn the_wrong_number_of_descriptors_is_an_error_and_leaks_none() {
    for (announced, came) in [(1, 0), (2, 1), (1, 2), (16, 15), (16, 17), (2, 40)] {
        let (ours, theirs) = pair().unwrap();
        let receiver = Receiver::new(theirs).unwrap();
        let (reader, writer) = pipe().unwrap();
        let ids: Vec<u64> = (0..announced).collect();
        send_raw(&ours, &connections(&ids).encode(), &vec![writer.as_fd(); came]);
        let error = receiver.recv().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{announced} announced, {came} came");
        assert_closed(reader, writer);
    }
}

#[tokio::test]
async fn a_report_with_a_descriptor_is_an_error_and_leaks_none() {
    let (ours, theirs) = pair().unwrap();
    let sender = Sender::new(ours).unwrap();
    let (reader, writer) = pipe().unwrap();
    send_raw(&theirs, &Report { closed: 1, ..Report::default() }.encode(), &[writer.as_fd()]);
    assert_eq!(sender.try_recv().unwrap_err().kind(), ErrorKind::InvalidData);
    assert_closed(reader, writer);
}

#[tokio::test]
async fn bad_messages_are_errors_and_leak_no_descriptor() {
    let good = connections(&[1]).encode();
    let oversized = [good.as_slice(), &[0; LONGEST]].concat();
    for message in [&good[..5], &[9, 9, 9], oversized.as_slice(), &[0]] {
        let (ours, theirs) = pair().unwrap();
        let receiver = Receiver::new(theirs).unwrap();
        let (reader, writer) = pipe().unwrap();
        send_raw(&ours, message, &[writer.as_fd()]);
        let error = receiver.recv().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{message:?}");
        assert_closed(reader, writer);
    }
}

#[tokio::test]
async fn a_received_descriptor_is_closed_on_exec() {
    let (sender, receiver) = ends();
    sender.send(&connections(&[1]), &[pipe().unwrap().1.as_fd()]).unwrap();
    let Some(Delivery::Connections(handed)) = receiver.recv().await.unwrap() else { panic!() };
    let flags = rustix::io::fcntl_getfd(&handed[0].fd).unwrap();
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
}

#[tokio::test]
async fn a_full_channel_reports_no_room_and_a_closed_one_an_error() {
    let (sender, receiver) = ends();
    let take_back = Order::TakeBack { slot: SlotId(0) };
    while sender.send(&take_back, &[]).unwrap() {}
    receiver.recv().await.unwrap();
    drop(receiver);
    // Another test may be between fork and exec, where its child has a copy of everything.
    let error: io::Error = loop {
        match sender.send(&take_back, &[]) {
            Err(error) => break error,
            Ok(_) => tokio::task::yield_now().await,
        }
    };
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
}

/// The limit is for the whole process, so this runs in its own process: this program again.
#[test]
fn a_worker_out_of_descriptors_declines_and_lives() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "channel::as_a_process_without_descriptors", "--ignored"]);
    let output = child.env("WITHOUT_DESCRIPTORS", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "it is the child of another test"]
async fn as_a_process_without_descriptors() {
    if std::env::var_os("WITHOUT_DESCRIPTORS").is_none() {
        return; // a run of all ignored tests
    }
    let (sender, receiver) = ends();
    let (_reader, writer) = pipe().unwrap();
    sender.send(&connections(&[5, 6]), &[writer.as_fd(), writer.as_fd()]).unwrap();
    let room_for = |more: u64| {
        let first_free = u64::try_from(writer.try_clone().unwrap().as_raw_fd()).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, first_free + more, 1024).unwrap();
    };
    room_for(1); // for one of the two: it must not be kept either
    let report = tokio::select! {
        delivery = receiver.recv() => panic!("{delivery:?}"),
        report = poll_fn(|cx| sender.poll_recv(cx)) => report.unwrap(),
    };
    assert_eq!(report, Some(Report { declined: vec![5, 6], ..Report::default() }));
    sender.send(&connections(&[5]), &[writer.as_fd()]).unwrap();
    assert!(matches!(receiver.recv().await.unwrap(), Some(Delivery::Connections(_))));
}
