//! A primary and its workers in one process, with real connections.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Waker};

use cluster::dispatch::channel::{Delivery, Handed, Receiver, Sender, pair};
use cluster::dispatch::{Dispatcher, Limits, RoundRobin};
use cluster::listener::Peer;
use cluster::supervisor::{SlotId, WorkerId};

fn dispatcher(limits: Limits) -> Dispatcher {
    Dispatcher::new(limits, Box::new(RoundRobin::default()))
}

fn hire(dispatcher: &mut Dispatcher, worker: u32) -> Receiver {
    let (ours, theirs) = pair().unwrap();
    let sender = Sender::new(ours).unwrap();
    dispatcher.worker_ready(WorkerId(worker.into()), SlotId(worker), sender);
    Receiver::new(theirs).unwrap()
}

/// Clients that have connected, and the accepted ends of their connections.
fn clients(n: usize) -> (Vec<UnixStream>, Vec<(OwnedFd, Peer)>) {
    let pair = |_| {
        let (client, accepted) = UnixStream::pair().unwrap();
        (client, (accepted.into(), Peer::Unix))
    };
    (0..n).map(pair).unzip()
}

async fn receive(worker: &Receiver) -> Vec<Handed> {
    match worker.recv().await.unwrap() {
        Some(Delivery::Connections(handed)) => handed,
        other => panic!("{other:?}"),
    }
}

fn ids(handed: &[Handed]) -> Vec<u64> {
    handed.iter().map(|it| it.given.id).collect()
}

/// Returns true if the client sees the end: all copies of the server's side are closed.
fn hung_up(client: &mut UnixStream) -> bool {
    client.set_nonblocking(true).unwrap();
    matches!(client.read(&mut [0]), Ok(0))
}

fn has_no_report(dispatcher: &mut Dispatcher) -> bool {
    pin!(dispatcher.receive_reports()).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[tokio::test]
async fn a_burst_is_spread_and_served_by_workers_alone() {
    let mut dispatcher = dispatcher(Limits::default());
    let workers = [hire(&mut dispatcher, 1), hire(&mut dispatcher, 2)];
    let (mut clients, accepted) = clients(6);
    dispatcher.accepted(0, accepted);
    for (index, worker) in (0..).zip(&workers) {
        let handed = receive(worker).await; // all of them in one message
        assert_eq!(ids(&handed), [index, index + 2, index + 4]);
        worker.answer(&ids(&handed), &[]).await.unwrap();
        while dispatcher.pending() > 3 * (1 - usize::try_from(index).unwrap()) {
            assert!(dispatcher.receive_reports().await.is_empty());
        }
        for connection in handed {
            UnixStream::from(connection.fd).write_all(b"hi").unwrap();
        }
    }
    for client in &mut clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap(); // ends only if the primary's copy is closed
        assert_eq!(answer, "hi");
    }
}

#[tokio::test]
async fn only_unacked_connections_of_a_dead_worker_are_redelivered() {
    let mut dispatcher = dispatcher(Limits::default());
    let first = hire(&mut dispatcher, 1);
    let (mut clients, accepted) = clients(2);
    dispatcher.accepted(0, accepted);
    let handed = receive(&first).await;
    first.answer(&ids(&handed)[..1], &[]).await.unwrap();
    drop((handed, first)); // it dies; its ack has not been read yet
    let second = hire(&mut dispatcher, 2);
    dispatcher.worker_gone(WorkerId(1));
    let handed = receive(&second).await;
    assert_eq!(ids(&handed), [1], "the one without an ack, once");
    assert!(hung_up(&mut clients[0]));
    assert!(!hung_up(&mut clients[1]));
}

#[tokio::test]
async fn connections_of_a_hung_worker_are_not_given_to_another() {
    let mut dispatcher = dispatcher(Limits { window: 1, queue: 2 });
    let hung = hire(&mut dispatcher, 1);
    let (_clients, accepted) = clients(3);
    dispatcher.accepted(0, accepted);
    assert!(!dispatcher.wants_more());
    let living = hire(&mut dispatcher, 2);
    assert_eq!(ids(&receive(&living).await), [1]);
    living.answer(&[1], &[]).await.unwrap();
    dispatcher.receive_reports().await;
    assert_eq!(ids(&receive(&living).await), [2]);
    assert_eq!(ids(&receive(&hung).await), [0], "it is still available if the worker wakes up");
}

#[tokio::test]
async fn a_declined_connection_is_served_by_another() {
    let mut dispatcher = dispatcher(Limits::default());
    let (first, second) = (hire(&mut dispatcher, 1), hire(&mut dispatcher, 2));
    let (mut clients, accepted) = clients(1);
    dispatcher.accepted(0, accepted);
    let declined = ids(&receive(&first).await);
    first.answer(&[], &declined).await.unwrap();
    dispatcher.receive_reports().await;
    let handed = receive(&second).await;
    assert_eq!(ids(&handed), declined);
    assert!(!hung_up(&mut clients[0]));
}

#[tokio::test]
async fn a_worker_that_hangs_up_or_sends_nonsense_gets_no_more() {
    let mut dispatcher = dispatcher(Limits::default());
    let (ours, theirs) = pair().unwrap();
    dispatcher.worker_ready(WorkerId(1), SlotId(0), Sender::new(ours).unwrap());
    rustix::net::send(&theirs, b"nonsense", rustix::net::SendFlags::empty()).unwrap();
    let broken = dispatcher.receive_reports().await;
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].0, WorkerId(1));

    drop(hire(&mut dispatcher, 2));
    assert!(dispatcher.receive_reports().await.is_empty(), "a worker may hang up");
    assert!(has_no_report(&mut dispatcher), "it no longer listens to either of them");
    let (_clients, accepted) = clients(2);
    dispatcher.accepted(0, accepted);
    let good = hire(&mut dispatcher, 3);
    assert_eq!(ids(&receive(&good).await), [0, 1]);
}

#[tokio::test]
async fn nothing_is_lost_if_a_worker_died_unnoticed() {
    let mut dispatcher = dispatcher(Limits::default());
    drop(hire(&mut dispatcher, 1)); // dead, and not noticed yet
    let (_clients, accepted) = clients(2);
    dispatcher.accepted(0, accepted);
    let living = hire(&mut dispatcher, 2);
    dispatcher.worker_gone(WorkerId(1));
    assert_eq!(dispatcher.pending(), 2);
    let mut received = ids(&receive(&living).await);
    if received.len() < 2 {
        received.extend(ids(&receive(&living).await));
    }
    received.sort_unstable();
    assert_eq!(received, [0, 1]);
}

#[tokio::test]
async fn a_stop_hangs_up_on_clients_that_no_worker_serves() {
    let mut dispatcher = dispatcher(Limits::default());
    let (mut clients, accepted) = clients(1);
    dispatcher.accepted(0, accepted);
    dispatcher.stop();
    assert!(hung_up(&mut clients[0]));
    assert_eq!(dispatcher.pending(), 0);
}
