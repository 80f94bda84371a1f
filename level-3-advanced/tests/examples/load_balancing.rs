//! `load-balancing`: its options, and what each strategy does to a connection.

use crate::SUITE;

#[test]
fn debug_build_refuses_to_measure() {
    let output = SUITE.run("load-balancing", &["--measure"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cargo run --release"), "{said}");
}

#[test]
fn round_robin_gives_each_worker_the_same_number() {
    let mut service = SUITE.start("load-balancing", &["--workers", "3"]);
    let workers = service.workers().expect("they run");
    let mut answers: Vec<i32> =
        (0..30).map(|_| service.get("/").expect("it answers").worker().expect("a pid")).collect();
    answers.sort_unstable();
    let expected: Vec<i32> = workers.iter().flat_map(|pid| [*pid; 10]).collect();
    assert_eq!(answers, expected);
}

#[test]
fn least_connections_spreads_open_connections_evenly() {
    let options = ["--workers", "2", "--strategy", "least-connections"];
    let mut service = SUITE.start("load-balancing", &options);
    let connect = |_| lab::Client::connect(service.address()).expect("it accepts");
    let mut clients: Vec<lab::Client> = (0..10).map(connect).collect();
    let mut answers: Vec<i32> = clients
        .iter_mut()
        .map(|client| client.get("/").expect("it answers").worker().expect("a pid"))
        .collect();
    answers.sort_unstable();
    let workers = service.workers().expect("they run");
    let expected: Vec<i32> = workers.iter().flat_map(|pid| [*pid; 5]).collect();
    assert_eq!(answers, expected);
}
