//! A socket for each slot, one port.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};

use cluster::config::{Address, Sharing};
use cluster::listener::systemd::Passed;
use cluster::listener::{BoundAddress, Listeners, ReusePort};
use cluster::supervisor::SlotId;

use super::{address, at, tcp};

fn group(slots: usize) -> ReusePort {
    let mut group = ReusePort::bind("127.0.0.1:0".parse().unwrap(), slots).unwrap();
    group.listen().unwrap();
    group
}

/// A copy of a slot's socket, like that of a worker.
fn copy(group: &mut ReusePort, slot: u32) -> TcpListener {
    group.slot(SlotId(slot)).unwrap().try_clone_to_owned().unwrap().into()
}

#[test]
fn all_slots_have_the_port_that_the_first_one_got() {
    let mut group = group(3);
    let bound = address(group.address());
    assert_eq!(group.slots().collect::<Vec<_>>(), [SlotId(0), SlotId(1), SlotId(2)]);
    let ports: BTreeSet<_> = (0..5).map(|it| copy(&mut group, it).local_addr().unwrap()).collect();
    assert_eq!(ports, BTreeSet::from([bound]), "slots that came later included");
    assert_eq!(group.slots().count(), 5);
}

#[test]
fn a_slot_is_the_same_socket_at_every_request() {
    let mut group = group(1);
    let _client = TcpStream::connect(address(group.address())).unwrap();
    copy(&mut group, 0);
    copy(&mut group, 0).accept().expect("the connection waits, although an earlier copy is closed");
}

#[test]
fn another_servers_port_is_taken_even_if_it_would_share() {
    let other = group(1);
    let error = ReusePort::bind(address(other.address()), 2).unwrap_err().to_string();
    assert!(error.contains("another socket of its own has this one"), "{error}");
}

#[test]
fn only_tcp_can_be_shared_by_reuse_port() {
    for address in [Address::Unix("/tmp/x".into()), Address::Systemd("web".into())] {
        let listen = [at(address)];
        let result = Listeners::bind(&listen, Sharing::ReusePort, 2, Passed::default());
        assert!(result.unwrap_err().to_string().contains("SO_REUSEPORT"));
    }
}

#[test]
fn inherited_sockets_depend_on_the_sharing_mode() {
    let listen = [tcp("127.0.0.1:0"), tcp("127.0.0.1:0")];
    let inherited = |sharing| {
        let mut all = Listeners::bind(&listen, sharing, 2, Passed::default()).unwrap();
        assert_eq!(all.addresses().len(), 2);
        assert!(all.addresses().iter().all(|it| matches!(it, BoundAddress::Tcp(_))));
        all.of_slot(SlotId(1)).unwrap().len()
    };
    assert_eq!(inherited(Sharing::Inherited), 2);
    assert_eq!(inherited(Sharing::ReusePort), 2);
    assert_eq!(inherited(Sharing::HandOff), 0);
}

#[test]
fn after_refuse_no_slot_accepts() {
    let mut group = group(4);
    group.refuse().unwrap();
    for _ in 0..20 {
        TcpStream::connect(address(group.address())).unwrap_err();
    }
}
