use std::collections::BTreeMap;

use proptest::prelude::*;

use super::family::{Family, Observed};
use super::*;
use crate::primary::Stats;
use crate::supervisor::{SlotId, WorkerId};

/// Few names and few labels, so that collisions are likely; all three kinds under each name.
fn family() -> impl Strategy<Value = Family> {
    let labels = prop::collection::vec(("[a-c]", "[x-y]"), 0..2);
    let few = 0..3_usize;
    prop_oneof![
        prop::collection::btree_map(labels.clone(), any::<u64>(), few.clone())
            .prop_map(Family::Counter),
        prop::collection::btree_map(labels.clone(), any::<i64>(), few.clone())
            .prop_map(Family::Gauge),
        prop::collection::vec(0..3_i32, 0..3).prop_flat_map(move |bounds| {
            let bounds: Vec<f64> = bounds.into_iter().map(f64::from).collect();
            let counts = prop::collection::vec(any::<u64>(), bounds.len() + 1);
            // Whole numbers: their sums are not rounded.
            let seen = (counts, -1000..1000_i32)
                .prop_map(|(counts, sum)| Observed { counts, sum: f64::from(sum) });
            prop::collection::btree_map(labels.clone(), seen, few.clone())
                .prop_map(move |series| Family::Histogram { bounds: bounds.clone(), series })
        }),
    ]
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    prop::collection::btree_map("[m-n]", family(), 0..3).prop_map(Snapshot::from)
}

fn merged(a: &Snapshot, b: &Snapshot) -> Snapshot {
    let mut sum = a.clone();
    sum.merge(b);
    sum
}

proptest! {
    #[test]
    fn merge_is_associative(a in snapshot(), b in snapshot(), c in snapshot()) {
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }

    #[test]
    fn merge_is_commutative(a in snapshot(), b in snapshot()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
    }

    #[test]
    fn a_snapshot_survives_the_channel(snapshot in snapshot()) {
        let bytes = serde_json::to_vec(&snapshot).expect("a snapshot can be sent");
        prop_assert_eq!(serde_json::from_slice::<Snapshot>(&bytes).expect("and received"), snapshot);
    }

    #[test]
    fn every_mixture_can_be_shown(snapshots in prop::collection::vec(snapshot(), 0..5)) {
        let mut totals = Totals::default();
        for (id, snapshot) in (0..).zip(&snapshots) {
            totals.report(WorkerId(id.into()), SlotId(id % 2), snapshot);
            if id % 3 == 0 {
                totals.retire(WorkerId(id.into()));
            }
        }
        let shown = exposition(&Stats::default(), &totals);
        let mut lines: Vec<_> = shown.lines().filter_map(|line| line.split(' ').next()).collect();
        lines.retain(|line| *line != "#");
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        prop_assert_eq!(lines.len(), all, "duplicate series:\n{}", shown);
    }

    #[test]
    fn counters_never_run_backwards(steps in prop::collection::vec((0..3_u32, 1..100_u32, any::<bool>()), 1..40)) {
        let mut totals = Totals::default();
        let mut counted = BTreeMap::new();
        let (mut last, mut next) = (0, 100);
        for (slot, more, dies) in steps {
            let (id, metrics) = counted.entry(slot).or_insert_with(|| { next += 1; (next, Metrics::default()) });
            metrics.counter("done_total", &[]).add(more.into());
            totals.report(WorkerId(*id), SlotId(slot), &metrics.snapshot());
            if dies {
                totals.retire(WorkerId(*id));
                counted.remove(&slot);
            }
            let now = totals.total().counter("done_total");
            prop_assert_eq!(now, last + u64::from(more));
            last = now;
        }
    }
}

#[test]
fn numbers_of_a_slot_are_shown_as_one() {
    let metrics = Metrics::default();
    metrics.counter(HTTP_REQUESTS, &[("status", "200"), ("method", "GET")]).add(3);
    metrics.gauge(HTTP_CONNECTIONS, &[]).set(2);
    metrics.histogram(HTTP_REQUEST_DURATION, &[], &[0.1, 1.0]).observe(0.5);
    metrics.histogram(HTTP_REQUEST_DURATION, &[], &[0.1, 1.0]).observe(f64::NAN);
    let mut totals = Totals::default();
    totals.report(WorkerId(7), SlotId(0), &metrics.snapshot());
    totals.retire(WorkerId(7));
    totals.report(WorkerId(8), SlotId(0), &metrics.snapshot());
    let mut stats = Stats::default();
    stats.primary.total_restarts = 1;

    let shown = exposition(&stats, &totals);
    for line in [
        "# TYPE http_requests counter",
        "http_requests_total{worker_id=\"0\",method=\"GET\",status=\"200\"} 6",
        "http_connections{worker_id=\"0\"} 2",
        "http_request_duration_seconds_count{worker_id=\"0\"} 2",
        "http_request_duration_seconds_bucket{le=\"1.0\",worker_id=\"0\"} 2",
        "http_request_duration_seconds_bucket{le=\"+Inf\",worker_id=\"0\"} 2",
        "worker_restarts_total 1",
        "workers_active 0",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is missing from\n{shown}");
    }
    assert!(shown.ends_with("# EOF\n"));
    assert_eq!(totals.total().counter(HTTP_REQUESTS), 6);
    assert_eq!(totals.worker(WorkerId(8)).map(|last| last.gauge(HTTP_CONNECTIONS)), Some(2));
    assert!(totals.worker(WorkerId(7)).is_none());
}

#[test]
fn a_label_from_outside_cannot_fill_the_memory() {
    let metrics = Metrics::default();
    for path in 0..3000 {
        metrics.counter("hits_total", &[("path", &path.to_string())]).inc();
    }
    metrics.counter("more_total", &[]).inc();
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.series(), MOST_SERIES + 1);
    assert_eq!(snapshot.counter("hits_total"), 3000);

    // Neither can many restarts, each with labels of its own.
    let mut totals = Totals::default();
    for id in 0..5 {
        let metrics = Metrics::default();
        for path in 0..1000 {
            metrics.counter("hits_total", &[("path", &format!("{id}-{path}"))]).inc();
        }
        totals.report(WorkerId(id), SlotId(0), &metrics.snapshot());
        totals.retire(WorkerId(id));
    }
    assert_eq!(totals.total().series(), MOST_SERIES + 1);
    assert_eq!(totals.total().counter("hits_total"), 5000);
}

#[test]
fn a_name_that_cannot_be_shown_does_no_harm() {
    let metrics = Metrics::default();
    metrics.counter("no spaces", &[]).inc();
    metrics.counter("requests_total", &[("worker_id", "1")]).inc();
    metrics.gauge("workers_active", &[]).set(99);
    metrics.counter("twice_total", &[]).inc();
    metrics.gauge("twice", &[]).set(99);
    metrics.histogram("falling", &[], &[2.0, 1.0]).observe(1.0);
    let snapshot = metrics.snapshot();
    assert_eq!((snapshot.series(), snapshot.counter("twice_total")), (1, 1));
}

#[test]
fn invalid_series_of_a_hostile_worker_are_dropped() {
    let sent = r#"{
        "good": {"counter": [[[["a", "x"]], 1]]},
        "a b\n": {"counter": [[[], 1]]},
        "workers_active": {"gauge": [[[], 1]]},
        "labels": {"gauge": [[[["b", "x"], ["a", "x"]], 1], [[["le", "1"]], 1], [[["\n", ""]], 1]]},
        "ranges": {"histogram": {"bounds": [2.0, 1.0], "series": [[[], {"counts": [1, 2, 3], "sum": 1.0}]]}},
        "counts": {"histogram": {"bounds": [1.0], "series": [[[], {"counts": [1], "sum": 1.0}]]}},
        "full": {"histogram": {"bounds": [1.0], "series": [[[], {"counts": [18446744073709551615, 5], "sum": 1e308}]]}}
    }"#;
    let snapshot: Snapshot = serde_json::from_str(sent).expect("it is well-formed");
    assert_eq!(snapshot.series(), 2);
    let mut totals = Totals::default();
    for id in 0..3 {
        totals.report(WorkerId(id), SlotId(0), &snapshot);
    }
    let shown = exposition(&Stats::default(), &totals);
    assert!(shown.contains("full_count{worker_id=\"0\"} 18446744073709551615"), "{shown}");
    assert!(shown.contains("good_total{worker_id=\"0\",a=\"x\"} 3"), "{shown}");
}
