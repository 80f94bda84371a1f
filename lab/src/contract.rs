//! What all examples promise alike, as checks for the tests of each level; and
//! [`every_example_keeps_the_contract!`](crate::every_example_keeps_the_contract), which makes tests of them.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::suite::{Suite, stderr};
use crate::{Service, proc, wait_for};

/// Makes a test of each check of [`contract`](crate::contract), for the examples of one [`Suite`].
#[macro_export]
macro_rules! every_example_keeps_the_contract {
    ($suite:expr) => {
        $crate::every_example_keeps_the_contract!($suite;
            help_names_the_options_of_the_contract
            bad_arguments_get_a_sentence_and_start_nothing
            the_environment_sets_the_number_of_workers_and_is_checked_too
            a_taken_port_is_reported_with_a_way_out
            two_at_once_do_not_share_a_port_by_accident
            a_second_run_on_the_same_port_follows_at_once
            an_address_that_is_not_ours_is_reported
            ctrl_c_and_sigterm_end_everything_and_leave_nothing
            a_second_signal_does_not_wait_for_a_worker_that_hangs
            whatever_signals_were_ignored_before_it_can_be_stopped
            without_descriptors_there_is_a_sentence_and_no_backtrace
            sigkill_of_the_primary_ends_the_workers
            a_worker_ignores_the_ctrl_c_that_its_primary_gets
            a_program_that_is_not_ready_yet_can_be_stopped
            every_demo_holds_what_it_claims
            a_demo_that_is_killed_leaves_nothing_behind
            each_file_of_an_example_is_a_page
        );
    };
    ($suite:expr; $($check:ident)+) => {
        $(#[test]
        fn $check() {
            $crate::contract::$check(&$suite);
        })+
    };
}

/// `--help` names the options that all examples have.
pub fn help_names_the_options_of_the_contract(suite: &Suite) {
    for example in suite.examples {
        let output = suite.run(example, &["--help"]);
        assert!(output.status.success(), "{example}");
        let help = String::from_utf8_lossy(&output.stdout);
        for word in ["--listen", "127.0.0.1:8000", "--workers", "CLUSTER_WORKERS", "--demo"] {
            assert!(help.contains(word), "{example} --help does not mention {word}:\n{help}");
        }
    }
}

/// A wrong argument gets one line that helps, code 2, and no process.
pub fn bad_arguments_get_a_sentence_and_start_nothing(suite: &Suite) {
    for example in suite.examples {
        for (args, advice) in [
            (["--workers", "0"], "whole number from 1 to 64"),
            (["--workers", "65"], "whole number from 1 to 64"),
            (["--workers", "two"], "whole number from 1 to 64"),
            (["--listen", "8000"], "such as 127.0.0.1:8000"),
            (["--listen", "localhost:http"], "such as 127.0.0.1:8000"),
            (["--listne", "127.0.0.1:0"], "--listen"),
            (["--wrong", "everything"], "possible values"),
            (["serve", "now"], "unexpected argument"),
        ] {
            let output = suite.run(example, &args);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{example} {args:?}: {said}");
            assert!(
                said.starts_with("error: ") && said.contains(advice),
                "{example} {args:?}: {said}"
            );
            assert!(output.stdout.is_empty(), "{example} {args:?} wrote to stdout");
        }
    }
}

/// `CLUSTER_WORKERS` is checked like `--workers`.
pub fn the_environment_sets_the_number_of_workers_and_is_checked_too(suite: &Suite) {
    for example in suite.examples {
        let output =
            suite.bounded(example).env("CLUSTER_WORKERS", "many").output().expect("it runs");
        let said = stderr(&output);
        assert!(
            said.contains("CLUSTER_WORKERS take a whole number from 1 to 64"),
            "{example}: {said}"
        );
    }
}

/// A taken port is named, with what to do.
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

/// A second instance is refused and disturbs nobody.
pub fn two_at_once_do_not_share_a_port_by_accident(suite: &Suite) {
    for (example, more) in suite.all() {
        let first = suite.start(example, more);
        let address = first.address().to_string();
        let second = suite.run(example, &[&["--listen", &address], more].concat());
        assert!(taken(&stderr(&second)), "{example} {more:?}");
        first.get("/").expect("the first one is not disturbed");
    }
}

/// After the end the port is free again.
pub fn a_second_run_on_the_same_port_follows_at_once(suite: &Suite) {
    for (i, (example, more)) in suite.all().enumerate() {
        // An address that no other test uses, so that the port cannot be taken in between.
        let host = format!("127.77.7.{}", i + 1);
        let mut first = suite.start(example, &[&["--listen", &format!("{host}:0")], more].concat());
        let address = first.address().to_string();
        first.get("/").expect("it answers");
        first.end(Signal::SIGTERM).expect("it ends");
        let second = suite.start(example, &[&["--listen", &address], more].concat());
        second.get("/").unwrap_or_else(|error| panic!("{example} {more:?}: {error}"));
    }
}

/// An address of somebody else gets a sentence.
pub fn an_address_that_is_not_ours_is_reported(suite: &Suite) {
    for (example, more) in suite.all() {
        let output = suite.run(example, &[&["--listen", "192.0.2.1:0"], more].concat());
        let said = stderr(&output);
        // Level 1 says it itself, the library in its own words.
        let told = ["this machine does not have that address", "this host has no such address"];
        assert!(told.iter().any(|words| said.contains(words)), "{example}: {said}");
        assert_eq!(output.status.code(), Some(1), "{example}");
    }
}

/// Both signals end the primary with code 0, and all workers.
pub fn ctrl_c_and_sigterm_end_everything_and_leave_nothing(suite: &Suite) {
    for (example, more) in suite.all() {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let mut service = suite.start(example, more);
            let status = service.end(signal).unwrap_or_else(|error| panic!("{example}: {error}"));
            assert!(status.success(), "{example} {signal}: {status}");
        }
    }
}

/// A second signal ends it at once.
pub fn a_second_signal_does_not_wait_for_a_worker_that_hangs(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.start(example, more);
        let hung = service.workers().expect("/proc is there")[0];
        service.signal(hung, Signal::SIGSTOP).expect("it runs");
        service.signal(service.primary(), Signal::SIGTERM).expect("it runs");
        service.hears("stopping").expect("it has begun to stop");
        let status =
            service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{example}: {error}"));
        service.hears(suite.at_once).expect("the second signal was heard");
        assert!(status.success(), "{example} {more:?}: {status}");
    }
}

/// What the starting shell ignored does not matter.
pub fn whatever_signals_were_ignored_before_it_can_be_stopped(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.launch_with("trap '' CHLD INT TERM HUP", example, more);
        let status = service.end(Signal::SIGTERM).unwrap_or_else(|e| panic!("{example}: {e}"));
        assert!(status.success(), "{example} {more:?}: {status}");
    }
}

/// With too few descriptors it says so.
pub fn without_descriptors_there_is_a_sentence_and_no_backtrace(suite: &Suite) {
    for (example, more) in suite.all() {
        for limit in 4..12 {
            let limit = format!("ulimit -n {limit}; exec \"$0\" --listen 127.0.0.1:0 \"$@\"");
            let mut command = Command::new("sh");
            command.args(["-c", &limit]).arg(suite.program(example)).args(more);
            let mut service = Service::launch(command).expect("sh starts");
            let settled = || {
                let complaint = |line: &String| {
                    line.contains("oo many open files") || line.contains("ulimit -n")
                };
                let over = proc::gone(service.primary()) || service.ready_line().is_some();
                (over || service.narration().iter().any(complaint)).then_some(())
            };
            wait_for("an end, a ready line or a complaint", settled).unwrap_or_else(|_| {
                panic!("{example} {more:?} {limit}: {:?}", service.narration())
            });
            let _ = service.end(Signal::SIGTERM);
            for line in service.narration() {
                let told =
                    line.starts_with("error: ") || line.starts_with(|c: char| c.is_ascii_digit());
                assert!(told && !line.contains("panicked"), "{example} {more:?} {limit}: {line}");
            }
        }
    }
}

/// Nobody outlives the primary.
pub fn sigkill_of_the_primary_ends_the_workers(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.start(example, more);
        service.end(Signal::SIGKILL).unwrap_or_else(|error| panic!("{example} {more:?}: {error}"));
    }
}

/// Workers leave SIGINT to their primary.
pub fn a_worker_ignores_the_ctrl_c_that_its_primary_gets(suite: &Suite) {
    for example in suite.examples {
        let mut service = suite.start(example, &["--workers", "2"]);
        let workers = service.workers().expect("/proc is there");
        for worker in &workers {
            service.signal(*worker, Signal::SIGINT).expect("it runs");
        }
        service.get("/").expect("they answer");
        assert_eq!(service.workers().expect("/proc is there"), workers, "{example}");
    }
}

/// TERM ends it at any moment of its start.
pub fn a_program_that_is_not_ready_yet_can_be_stopped(suite: &Suite) {
    for (example, more) in suite.all() {
        let mut service = suite.launch(example, more);
        // Wherever this signal finds it, before or after its workers: it ends, and so do those that were there.
        service.end(Signal::SIGTERM).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

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
    demo.args(["--demo", falsehood]).env("LAB_PATIENCE", "2"); // waiting does not make it true
    let output = demo.output().expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{example} {falsehood}:\n{table}{said}");
    let row = table.lines().find(|row| row.starts_with("BROKEN"));
    assert!(row.is_some_and(|row| row.contains(broken)), "{example} {falsehood}:\n{table}{said}");
}

/// A file of an example is short enough to be read in one sitting, and says first what it is.
pub fn each_file_of_an_example_is_a_page(suite: &Suite) {
    for example in suite.examples {
        for (path, text) in pages(suite, example) {
            let lines = code(&text).count();
            assert!(lines <= 150, "{path} has {lines} lines of code");
            assert!(text.starts_with("//! "), "{path} does not say what it is");
        }
    }
}

/// The files of an example, with their names.
#[must_use]
pub fn pages(suite: &Suite, example: &str) -> Vec<(String, String)> {
    let folder = Path::new(suite.folder).join("examples").join(example);
    let files = fs::read_dir(folder).expect("each example has a folder");
    let paths = files.map(|entry| entry.expect("it can be listed").path());
    let rust = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let text = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).expect("it can be read");
        (path.display().to_string(), text)
    };
    rust.map(text).collect()
}

/// The lines of code in `text`: no comments, no empty ones.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
}
