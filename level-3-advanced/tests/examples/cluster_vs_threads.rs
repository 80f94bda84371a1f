//! `cluster-vs-threads`: each architecture serves the same service, and ends as a service should.

use lab::Service;
use nix::sys::signal::Signal;

use crate::SUITE;

const EXAMPLE: &str = "cluster-vs-threads";

/// The architectures, with the number of their worker processes.
const ALL: [(&str, usize); 5] =
    [("one-thread", 0), ("multi-thread", 0), ("prefork", 2), ("reuse-port", 2), ("both", 2)];

fn start(architecture: &str, more: &[&str]) -> Service {
    let options = ["--workers", "2", "--architecture", architecture];
    SUITE.start(EXAMPLE, &[&options, more].concat())
}

#[test]
fn debug_build_refuses_to_measure() {
    let output = SUITE.run(EXAMPLE, &["--measure"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cargo run --release"), "{said}");
}

#[test]
fn every_architecture_answers_every_request() {
    for (architecture, processes) in ALL {
        let backend = start("one-thread", &[]);
        let address = backend.address().to_string();
        let mut service = start(architecture, &["--backend", &address]);
        assert_eq!(service.workers().expect("they run").len(), processes, "{architecture}");
        for path in [
            "/",
            "/wait?ms=1",
            "/slow?ms=1",
            "/backend?ms=1",
            "/compute?ms=1",
            "/count",
            "/leak?mib=1",
        ] {
            let answer =
                service.get(path).unwrap_or_else(|error| panic!("{architecture}{path}: {error}"));
            assert_eq!(answer.status, 200, "{architecture}{path}: {}", answer.body);
        }
        assert_eq!(service.get("/nothing").expect("an answer").status, 404);
        service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{architecture}: {error}"));
    }
}

#[test]
fn missing_backend_is_an_answer_with_a_remedy() {
    let answer = start("prefork", &[]).get("/backend").expect("an answer");
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("--backend"), "{}", answer.body);
}

#[test]
fn process_without_a_supervisor_finishes_its_requests() {
    for architecture in ["one-thread", "multi-thread"] {
        let mut service = start(architecture, &[]);
        let slow = service.get_later("/slow?ms=800");
        service.prints("begins a request of 800 ms").expect("it begins");
        service.end(Signal::SIGTERM).expect("it ends");
        let answer = slow.join().expect("no panic").expect("it is finished");
        assert_eq!(answer.status, 200, "{architecture}");
    }
}
