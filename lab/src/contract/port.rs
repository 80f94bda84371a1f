//! The port of all examples: taken, freed, or not ours.

use std::net::TcpListener;

use nix::sys::signal::Signal;

use crate::suite::{Suite, stderr};

/// The error for a taken port names it, and says what to do.
pub fn a_taken_port_is_reported_with_a_way_out(suite: &Suite) {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = holder.local_addr().expect("it is bound").to_string();
    for (example, more) in suite.all() {
        let output = suite.run(example, &[&["--listen", &address], more].concat());
        let said = stderr(&output);
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{example} {more:?}: {said}");
        assert!(
            last.starts_with(&format!("error: cannot listen on {address}: ")) && taken(last),
            "{said}"
        );
        assert!(
            last.contains("--listen") || last.contains("CLUSTER_LISTEN"),
            "{example} {more:?} gives no advice: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
        assert!(output.stdout.is_empty(), "{example} {more:?} claims to be ready");
    }
}

fn taken(said: &str) -> bool {
    said.contains("the port is taken") || said.contains("the address is in use by")
}

/// A second instance is refused and does not disturb the first.
pub fn two_at_once_do_not_share_a_port_by_accident(suite: &Suite) {
    for (example, more) in suite.all() {
        let first = suite.start(example, more);
        let address = first.address().to_string();
        let second = suite.run(example, &[&["--listen", &address], more].concat());
        assert!(taken(&stderr(&second)), "{example} {more:?}");
        first.get("/").expect("the first one is not disturbed");
    }
}

/// After an example has exited, its port is free again.
pub fn a_second_run_on_the_same_port_follows_at_once(suite: &Suite) {
    for (i, (example, more)) in suite.all().enumerate() {
        // An address that no other test uses, so that the port cannot be taken in the meantime.
        let host = format!("127.77.7.{}", i + 1);
        let mut first = suite.start(example, &[&["--listen", &format!("{host}:0")], more].concat());
        let address = first.address().to_string();
        first.get("/").expect("it answers");
        first.end(Signal::SIGTERM).expect("it ends");
        let second = suite.start(example, &[&["--listen", &address], more].concat());
        second.get("/").unwrap_or_else(|error| panic!("{example} {more:?}: {error}"));
    }
}

/// The error for an address of another host is a sentence.
pub fn an_address_that_is_not_ours_is_reported(suite: &Suite) {
    for (example, more) in suite.all() {
        let output = suite.run(example, &[&["--listen", "192.0.2.1:0"], more].concat());
        let said = stderr(&output);
        // Level 1 and the library word this differently.
        let either = ["this machine does not have that address", "this host has no such address"];
        assert!(either.iter().any(|words| said.contains(words)), "{example}: {said}");
        assert_eq!(output.status.code(), Some(1), "{example}");
    }
}
