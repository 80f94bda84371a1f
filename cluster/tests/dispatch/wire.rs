//! Bytes: a written message can be read, and nothing else can.

use cluster::dispatch::wire::{Given, LONGEST, MOST, Malformed, Order, Report, VERSION};
use cluster::supervisor::SlotId;
use proptest::collection::vec;
use proptest::prelude::*;

fn order() -> impl Strategy<Value = Order> {
    let given = (any::<u64>(), any::<u16>()).prop_map(|(id, listener)| Given { id, listener });
    prop_oneof![
        vec(given, 1..=MOST).prop_map(Order::Connections),
        (any::<u32>(), any::<u16>())
            .prop_map(|(slot, listener)| Order::Lend { slot: SlotId(slot), listener }),
        Just(Order::AdmitAll),
        any::<u32>().prop_map(|slot| Order::TakeBack { slot: SlotId(slot) }),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    (vec(any::<u64>(), 0..=MOST / 2), vec(any::<u64>(), 0..=MOST / 2), any::<u32>())
        .prop_map(|(acked, declined, closed)| Report { acked, declined, closed })
}

proptest! {
    #[test]
    fn an_order_arrives_as_it_was_sent(order in order()) {
        let bytes = order.encode();
        prop_assert!(bytes.len() <= LONGEST);
        prop_assert_eq!(Order::decode(&bytes), Ok(order));
    }

    #[test]
    fn a_report_arrives_as_it_was_sent(report in report()) {
        let bytes = report.encode();
        prop_assert!(bytes.len() <= LONGEST);
        prop_assert_eq!(Report::decode(&bytes), Ok(report));
    }

    #[test]
    fn one_byte_less_or_more_is_malformed(order in order(), report in report()) {
        for bytes in [order.encode(), report.encode()] {
            let longer = [bytes.as_slice(), &[0]].concat();
            for wrong in [&bytes[..bytes.len() - 1], &longer] {
                prop_assert_eq!(Order::decode(wrong).ok(), None);
                prop_assert_eq!(Report::decode(wrong).ok(), None);
            }
        }
    }

    #[test]
    fn noise_is_an_error_or_decodes_to_exactly_its_bytes(
        version in prop_oneof![9 => Just(VERSION), 1 => any::<u8>()],
        kind in 0..6_u8,
        rest in vec(any::<u8>(), 0..300),
    ) {
        let noise = [&[version, kind], rest.as_slice()].concat();
        if let Ok(order) = Order::decode(&noise) {
            prop_assert_eq!(order.encode(), noise.clone());
        }
        if let Ok(report) = Report::decode(&noise) {
            let size = report.acked.len() + report.declined.len();
            prop_assert!(size <= MOST && report.encode().len() == noise.len());
        }
    }
}

#[test]
fn each_mistake_has_its_name() {
    let good = Order::TakeBack { slot: SlotId(7) }.encode();
    let with = |index: usize, byte| {
        let mut bytes = good.clone();
        bytes[index] = byte;
        Order::decode(&bytes)
    };
    assert_eq!(with(0, 9), Err(Malformed::Version(9)));
    assert_eq!(with(1, 9), Err(Malformed::Kind(9)));
    assert_eq!(with(2, 9), Err(Malformed::Length(7)));
    assert_eq!(Order::decode(&[]), Err(Malformed::Length(0)));
    assert_eq!(Report::decode(&good), Err(Malformed::Kind(3)), "a worker does not give orders");
    let mut report = Report { acked: vec![1], ..Report::default() }.encode();
    report[7] = 2;
    assert_eq!(Report::decode(&report), Err(Malformed::Verdict(2)));
}
