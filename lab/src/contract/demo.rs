//! The contract of all demos.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::shown;
use crate::suite::{Suite, stderr};
use crate::{proc, wait_for};

/// Each demo exits with code 0, and has claims; the pages of its level show the rows that it prints. It
/// leaves nothing in the folder for temporary files, even if it was killed.
pub fn every_demo_holds_what_it_claims_and_leaves_nothing(suite: &Suite) {
    for example in suite.examples {
        let folder = Folder::new(example);
        kill_a_demo(suite, example, &folder.0);
        let mut demo = suite.bounded(example);
        let output = at_home(demo.arg("--demo"), &folder.0).output().expect("it runs");
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{example}:\n{table}\n{}", stderr(&output));
        assert!(table.contains("held") && !table.contains("BROKEN"), "{example}:\n{table}");
        shown::is_on_the_pages(suite, example, &table);
        let left = fs::read_dir(&folder.0).expect("it is ours");
        let left: Vec<_> = left.map(|entry| entry.expect("listed").file_name()).collect();
        assert!(left.is_empty(), "{example} leaves {left:?}");
    }
}

/// A demo that is killed takes all its processes with it.
fn kill_a_demo(suite: &Suite, example: &str, folder: &Path) {
    let mut demo = Command::new(suite.program(example));
    demo.arg("--demo").env_remove("CLUSTER_WORKERS").stdout(Stdio::null());
    let mut demo = at_home(&mut demo, folder).spawn().expect("it runs");
    let pid = demo.id().cast_signed();
    let below = wait_for("a service with its workers", || {
        let services = proc::children(pid).ok()?; // the demo may already have killed the first
        let workers = services.iter().filter_map(|it| proc::children(*it).ok()).flatten();
        let workers: Vec<i32> = workers.collect();
        (workers.len() > 1).then(|| [services, workers].concat())
    });
    demo.kill().and_then(|()| demo.wait()).expect("our child");
    let below = below.unwrap_or_else(|error| panic!("{example}: {error}"));
    let gone = || below.iter().all(|pid| proc::gone(*pid)).then_some(());
    wait_for("all of it to end", gone).unwrap_or_else(|error| panic!("{example}: {error}"));
}

/// A private folder, removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(example: &str) -> Self {
        let path = env::temp_dir().join(format!("contract-{example}-{}", std::process::id()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Gives a command this folder for its temporary files.
fn at_home<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    command.env("TMPDIR", folder).env("XDG_RUNTIME_DIR", folder)
}

/// A demo passes its options on to the service that it starts, so it can be pointed at a wrong version:
/// in that case the row of that claim is broken, and the demo fails.
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
