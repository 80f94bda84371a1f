//! What all demos do.

use std::process::{Command, Stdio};

use crate::suite::{Suite, stderr};
use crate::{proc, wait_for};

/// Each demo ends with code 0, and has claims.
pub fn every_demo_holds_what_it_claims(suite: &Suite) {
    for example in suite.examples {
        let output = suite.run(example, &["--demo"]);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{example}:\n{table}\n{}", stderr(&output));
        assert!(table.contains("held") && !table.contains("BROKEN"), "{example}:\n{table}");
    }
}

/// A demo that is killed takes all its processes with it.
pub fn a_demo_that_is_killed_leaves_nothing_behind(suite: &Suite) {
    for example in suite.examples {
        let mut demo = Command::new(suite.program(example))
            .arg("--demo")
            .env_remove("CLUSTER_WORKERS")
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        let pid = demo.id().cast_signed();
        let below = wait_for("a service with its workers", || {
            let services = proc::children(pid).ok()?;
            let workers = proc::children(*services.first()?).ok()?;
            (workers.len() > 1).then(|| [services, workers].concat())
        });
        demo.kill().and_then(|()| demo.wait()).expect("our child");
        let gone = || below.as_ref().ok()?.iter().all(|pid| proc::gone(*pid)).then_some(());
        wait_for("all of it to end", gone).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

/// A demo passes its options on to what it starts, so it can be pointed at a wrong version: then the
/// row of that claim is broken, and the demo fails.
pub fn breaks(suite: &Suite, example: &str, falsehood: &str, broken: &str) {
    let mut demo = suite.bounded(example);
    demo.args(["--demo", falsehood]).env("LAB_PATIENCE", "4"); // waiting longer does not make it true
    let output = demo.output().expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{example} {falsehood}:\n{table}{said}");
    let mut rows = table.lines().filter(|row| row.starts_with("BROKEN"));
    assert!(rows.any(|row| row.contains(broken)), "{example} {falsehood}:\n{table}{said}");
}
