//! Every example of level 1, run for real: started as a user would, asked over HTTP, killed, and
//! watched in `/proc`.
//!
//! The tests wait for facts and never for a time, use port 0, and clean up after themselves even
//! when they fail (`Service` ends its processes when it is dropped).

mod basic_cluster;
mod contract;
mod demos;
mod fork_and_wait;
mod message_passing;
mod pages;
mod round_robin;
mod single_thread_problem;
mod worker_events;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use lab::Service;

/// All examples of the level.
const EXAMPLES: [&str; 6] = [
    "basic-cluster",
    "fork-and-wait",
    "single-thread-problem",
    "message-passing",
    "worker-events",
    "round-robin",
];

/// Where cargo has put an example. `cargo test -p level-1` builds them; with `--test` or `--tests` it
/// does not, and an old one must not be tested in place of what was just written.
fn program(example: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own path");
    let target = this.ancestors().nth(2).expect("target/debug/deps/this");
    let program = target.join("examples").join(example);
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let written = newest(&package.join("src")).max(newest(&package.join("examples").join(example)));
    let built = fs::metadata(&program).and_then(|file| file.modified()).ok();
    let name = program.display();
    assert!(built >= Some(written), "{name} is not up to date: cargo build -p level-1 --examples");
    program
}

/// When something below `folder` was last written.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).expect("a folder of this package");
    let time = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => newest(&entry.path()),
        _ => entry.metadata().and_then(|file| file.modified()).expect("a file has a time"),
    };
    entries.map(|entry| time(entry.expect("listed"))).max().expect("it is not empty")
}

/// Starts an example and waits until it is ready.
fn start(example: &str, args: &[&str]) -> Service {
    launch(example, args).until_ready().expect("it becomes ready")
}

/// Starts an example, on a free port unless `args` say otherwise.
fn launch(example: &str, args: &[&str]) -> Service {
    let mut command = Command::new(program(example));
    command.args(["--listen", "127.0.0.1:0"]).args(args).env_remove("CLUSTER_WORKERS");
    Service::launch(command).expect("it starts")
}

/// Starts an example from a shell that has done `setting` before, and waits until it is ready.
fn launch_with(setting: &str, example: &str, args: &[&str]) -> Service {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{setting}; exec \"$0\" \"$@\"")]).arg(program(example));
    command.args(["--listen", "127.0.0.1:0"]).args(args);
    let service = Service::launch(command).and_then(Service::until_ready);
    service.unwrap_or_else(|error| panic!("{example} after {setting}: {error}"))
}

/// Runs an example that is expected to end by itself.
fn run(example: &str, args: &[impl AsRef<OsStr>]) -> Output {
    bounded(example).args(args).output().expect("it runs")
}

/// An example that has to end within 30 s, as a demo promises; `timeout` ends it after that, and
/// exits with a code of its own, 124.
fn bounded(example: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "30"]).arg(program(example)).env_remove("CLUSTER_WORKERS");
    command
}

/// What a user would read of an [`Output`] on stderr.
fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
